/*
 * The way of a message from a publisher to its subscribers, on one worker and over several: the one
 * place where a message is delivered.
 *
 *   publish() ─ match ─┬─ own plain subscribers, own queue members: deliver()
 *                      └─ a letter for each other worker that has plain members or a chosen one
 *
 *   letter ─ match ─┬─ own plain subscribers: deliver()
 *                   └─ the chosen member or another of its group: deliver(); if none takes it, the
 *                      letter goes on to the next worker that has members
 *
 * Outcomes (rule 4). Only the owner of a subscription knows whether it takes a message: it may be
 * gone, at its maximum, or the publisher's own. When the publisher wants to know (it asked for
 * no-responders and nobody on its own worker took the message), each letter carries the number of
 * pieces it is made of. With one piece in all, only a refusal is answered; with several, the sender
 * keeps a struct outcome that counts the answers down.
 */
#pragma once
#include "broker/broker.h"

/* Delivers a message to all who want it. `wants_outcome`: the publisher is told when nobody takes
 * it. */
void publish(struct broker_worker *bw, struct message *message, bool wants_outcome);

void publish_on_deliver(void *worker, const struct letter *letter);
void publish_on_outcome(void *worker, const struct letter *letter);
void publish_on_stall(void *worker, const struct letter *letter);
size_t publish_outcome_size(void);
