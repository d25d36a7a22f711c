/*
 * Does to a subject index and to its model what the input says, and stops where they differ. A step
 * is one byte, what to do, and what it needs: a subject (tokens from a small alphabet, so that
 * subjects meet often), a queue and an id.
 */
#include "../support/subject_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *at;
    size_t size;
};

static uint8_t take(struct input *in) {
    if (in->size == 0) return 0;
    in->size--;
    return *in->at++;
}

/* A byte is a token: its upper bit says that another follows. */
static void take_subject(struct input *in, char *subject) {
    static const char *const tokens[] = {"a", "b",  "c",  "d",   "ab",   "abc", "*",   ">",
                                         "*", "**", "*a", "a*",  ">>",   ">a",  "a>",  "long-token",
                                         "",  "e",  "f",  "e f", "\xFF", "x",   "y.z", "y..z"};
    size_t n = 0;
    for (uint8_t byte = 0x80; byte & 0x80 && n < MODEL_SUBJECT_MAX - 16;) {
        byte = take(in);
        n += (size_t)snprintf(subject + n, MODEL_SUBJECT_MAX - n, "%s%s", n ? "." : "",
                              tokens[(byte & 0x7F) % (sizeof tokens / sizeof *tokens)]);
    }
}

static const char *step(struct subject_model *m, struct input *in) {
    char subject[MODEL_SUBJECT_MAX] = "";
    char queue[MODEL_QUEUE_MAX] = "";
    uint8_t what = take(in);
    if (what % 4 == 1) return m->count ? model_remove(m, take(in) % m->count) : NULL;
    take_subject(in, subject);
    if (what % 4 == 2) return model_match(m, subject);
    if (what % 4 == 3) return model_collide(m, subject);
    if (what & 0x40) snprintf(queue, sizeof queue, "q%d", what >> 4 & 3);
    return model_insert(m, subject, queue, take(in));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct subject_model m;
    struct input in = {data, size};
    const char *wrong = NULL;
    m.count = m.inserts = m.removes = 0;
    m.index = subject_index_new();
    while (in.size && !wrong) wrong = step(&m, &in);
    if (!wrong) wrong = model_check_stats(&m);
    if (!wrong && size % 2) wrong = model_drain(&m);
    if (wrong) {
        fprintf(stderr, "%s\n", wrong);
        abort();
    }
    subject_index_free(m.index);
    return 0;
}
