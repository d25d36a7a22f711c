/*
 * What workers tell about their connections and subscriptions, as records of perigee.h.
 */
#pragma once
#include "broker/client.h"

/* A growing run of records. */
struct records {
    char *at;
    size_t size, room;
};

void records_free(struct records *records);

/* Appends a client's record; with its subscriptions when asked for, up to a bound. */
void records_add_client(struct records *records, const struct client *client,
                        bool with_subscriptions);

/* The body of LETTER_COLLECT; the letter's id is the request. */
struct collect_letter {
    int32_t what;
    uint32_t unused;
    uint64_t cursor, cid;
};
void records_on_collect(void *worker, const struct letter *letter);
