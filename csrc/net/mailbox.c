#include "net/mailbox.h"
#include "base/memory.h"
#include <assert.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { SPARES_MAX = 16 };

bool post_office_init(struct post_office *office, unsigned workers) {
    memset(office, 0, sizeof *office);
    pthread_mutex_init(&office->lock, NULL);
    office->parties = workers + 1;
    office->credit = MAIL_CREDIT;
    office->under_way = memory_zero(sizeof *office->under_way * office->parties);
    for (unsigned i = 0; i < office->parties; i++) {
        office->boxes[i].bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (office->boxes[i].bell < 0) return false;
    }
    return true;
}

static void free_chain(struct mail_block *block) {
    while (block) {
        struct mail_block *next = block->next;
        free(block);
        block = next;
    }
}

void post_office_free(struct post_office *office) {
    for (unsigned i = 0; i < office->parties; i++) {
        free_chain(atomic_load(&office->boxes[i].first));
        if (office->boxes[i].bell >= 0) close(office->boxes[i].bell);
    }
    free(office->under_way);
    pthread_mutex_destroy(&office->lock);
}

void mail_free(struct mail *mail) {
    for (unsigned i = 0; i < MAIL_PARTIES; i++) free_chain(mail->to[i].first);
    free_chain(mail->spare);
    free_chain(mail->unread);
}

static struct mail_block *block_new(struct mail *mail, size_t need) {
    struct mail_block *block;
    if (need <= MAIL_BLOCK && mail->spare) {
        block = mail->spare;
        mail->spare = block->next;
        mail->spares--;
    } else {
        size_t capacity = need > MAIL_BLOCK ? need : MAIL_BLOCK;
        block = memory_new(sizeof *block + capacity);
        block->capacity = (uint32_t)capacity;
    }
    block->next = NULL;
    block->used = 0;
    block->weight = 0;
    return block;
}

static void block_give_back(struct mail *mail, struct mail_block *block) {
    if (block->capacity != MAIL_BLOCK || mail->spares >= SPARES_MAX) {
        free(block);
        return;
    }
    block->next = mail->spare;
    mail->spare = block;
    mail->spares++;
}

struct letter *mail_write(struct mail *mail, unsigned to, uint16_t handler, uint64_t id,
                          size_t size) {
    size_t need = (sizeof(struct letter) + size + 7) & ~(size_t)7;
    struct mail_block *block = mail->to[to].last;
    if (!block || block->capacity - block->used < need) {
        block = block_new(mail, need);
        if (mail->to[to].last)
            mail->to[to].last->next = block;
        else
            mail->to[to].first = block;
        mail->to[to].last = block;
        mail->addressees[to / 64] |= 1ull << to % 64;
    }
    struct letter *letter = (struct letter *)(void *)(block->data + block->used);
    letter->size = (uint32_t)size;
    letter->handler = handler;
    letter->from = (uint16_t)mail->self;
    letter->id = id;
    block->used += (uint32_t)need;
    mail->to[to].bytes += need;
    return letter;
}

void mail_ring(struct post_office *office, unsigned whom) {
    uint64_t one = 1;
    ssize_t n = write(office->boxes[whom].bell, &one, sizeof one);
    (void)n; /* full means it rings already */
}

void mail_hand_over(struct post_office *office, struct mail *mail) {
    if (mail_is_empty(mail)) return;
    uint64_t addressees[2] = {mail->addressees[0], mail->addressees[1]};
    pthread_mutex_lock(&office->lock);
    for (unsigned half = 0; half < 2; half++) {
        for (uint64_t left = addressees[half]; left; left &= left - 1) {
            unsigned to = half * 64 + (unsigned)__builtin_ctzll(left);
            struct mailbox *box = &office->boxes[to];
            atomic_fetch_add_explicit(&office->under_way[mail->self][to], mail->to[to].bytes,
                                      memory_order_relaxed);
            if (atomic_load_explicit(&box->first, memory_order_relaxed))
                box->last->next = mail->to[to].first;
            else
                atomic_store_explicit(&box->first, mail->to[to].first, memory_order_release);
            box->last = mail->to[to].last;
            mail->to[to].first = mail->to[to].last = NULL;
            mail->to[to].bytes = 0;
        }
    }
    pthread_mutex_unlock(&office->lock);
    mail->addressees[0] = mail->addressees[1] = 0;
    /* Pairs with the owner, who says that it sleeps and then looks into its box once more
     * (worker.c, before_poll). */
    atomic_thread_fence(memory_order_seq_cst);
    for (unsigned half = 0; half < 2; half++) {
        for (uint64_t left = addressees[half]; left; left &= left - 1) {
            unsigned to = half * 64 + (unsigned)__builtin_ctzll(left);
            if (atomic_load_explicit(&office->boxes[to].asleep, memory_order_relaxed) &&
                atomic_exchange(&office->boxes[to].asleep, false))
                mail_ring(office, to);
        }
    }
}

bool mail_has_credit(struct post_office *office, const struct mail *mail) {
    for (unsigned to = 0; to + 1 < office->parties; to++) {
        uint64_t under_way = atomic_load(&office->under_way[mail->self][to]); /* after the wish */
        if (under_way + mail->to[to].bytes >= office->credit) return false;
    }
    return true;
}

static void take_all(struct post_office *office, struct mail *mail) {
    if (!mail_waits(office, mail->self)) return;
    struct mailbox *box = &office->boxes[mail->self];
    pthread_mutex_lock(&office->lock);
    struct mail_block *first = atomic_load_explicit(&box->first, memory_order_relaxed);
    struct mail_block *last = box->last;
    atomic_store_explicit(&box->first, NULL, memory_order_relaxed);
    box->last = NULL;
    pthread_mutex_unlock(&office->lock);
    if (mail->unread)
        mail->unread_last->next = first;
    else
        mail->unread = first;
    mail->unread_last = last;
    for (struct mail_block *block = first; block; block = block->next) mail->taken++;
}

/* The first block is done: its bytes are no longer under way. */
static void finish_block(struct post_office *office, struct mail *mail, unsigned from) {
    struct mail_block *block = mail->unread;
    atomic_fetch_sub(&office->under_way[from][mail->self], block->used + block->weight);
    if (atomic_load(&office->boxes[from].wants_credit) &&
        atomic_exchange(&office->boxes[from].wants_credit, false))
        mail_ring(office, from);
    mail->unread = block->next;
    mail->unread_at = 0;
    mail->handled++;
    block_give_back(mail, block);
}

bool mail_drain(struct post_office *office, struct mail *mail,
                letter_handler *const handlers[LETTER_HANDLERS_MAX], enough_mail *enough,
                void *context) {
    take_all(office, mail);
    while (mail->unread) {
        struct mail_block *block = mail->unread;
        const struct letter *letter = (const void *)(block->data + mail->unread_at);
        assert(letter->handler < LETTER_HANDLERS_MAX && handlers[letter->handler]);
        mail->unread_at += (uint32_t)((sizeof *letter + letter->size + 7) & ~(size_t)7);
        handlers[letter->handler](context, letter);
        if (mail->unread_at == block->used) finish_block(office, mail, letter->from);
        if (enough(context) && mail->unread) return false;
    }
    return true;
}
