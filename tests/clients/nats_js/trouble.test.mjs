// What nats.js sees when things go wrong: a server that goes away, a consumer that is too slow, payloads that are too large.
import assert from "node:assert/strict";
import { connect as dial } from "node:net";
import { collect, Server, suite, until } from "./support.mjs";

const test = suite(import.meta.url);

function statusesOf(client) {
  const seen = [];
  (async () => { for await (const status of client.status()) seen.push(status.type); })();
  return seen;
}

test("a client reconnects to a restarted server and its subscriptions live on", async (t) => {
  const first = await Server.start();
  const client = await t.client(first, { reconnectTimeWait: 20, reconnectJitter: 0, maxReconnectAttempts: -1 });
  const seen = statusesOf(client);
  const got = collect(client.subscribe("still.here", { queue: "q" }));
  await client.flush();
  await first.stop();
  await until("disconnect", () => seen.includes("disconnect"));
  const second = await t.server("", first.port);
  await until("reconnect", () => seen.includes("reconnect"));
  const other = await t.client(second);
  other.publish("still.here", "again");
  await until("the message", () => got.length === 1);
  assert.equal(got[0].string(), "again");
});

test("a client that asks for it comes back by itself on the same server", async (t) => {
  const client = await t.client(await t.server(), { reconnectTimeWait: 20, reconnectJitter: 0 });
  const seen = statusesOf(client);
  const got = collect(client.subscribe("x"));
  await client.flush();
  await client.reconnect();
  await until("reconnect", () => seen.includes("reconnect"));
  client.publish("x");
  await until("the message", () => got.length === 1);
});

test("a subscriber that does not read is cut off, and nobody else suffers", async (t) => {
  const server = await t.server("max_pending: 1MB\nmax_payload: 64KB\nwrite_deadline: \"1s\"\n");
  const [publisher, healthy] = [await t.client(server), await t.client(server)];
  let received = 0;
  healthy.subscribe("flood", { callback: () => received++ });
  await healthy.flush();

  const sleeper = dial(server.port, "127.0.0.1");
  t.closed = new Promise((done) => sleeper.on("close", done).on("error", done));
  await new Promise((ready) => sleeper.once("data", ready));
  sleeper.write("CONNECT {\"verbose\":false}\r\nSUB flood 1\r\nPING\r\n");
  await new Promise((ready) => sleeper.once("data", ready));
  sleeper.pause();

  const payload = new Uint8Array(32 * 1024);
  let sent = 0;
  await until("the cut", async () => {
    // Half of max_pending at a time, so that only the one who does not read falls behind.
    for (let i = 0; i < 16; i++, sent++) publisher.publish("flood", payload);
    await publisher.flush();
    await healthy.flush();
    return /slow consumer/i.test(server.log());
  });
  await until("the others' messages", () => received === sent);
  sleeper.resume();
  await t.closed;
});

test("a slow subscription is reported to the client itself and goes on", async (t) => {
  const client = await t.client(await t.server());
  const seen = statusesOf(client);
  const subscription = client.subscribe("many", { slow: 10 });
  for (let i = 0; i < 100; i++) client.publish("many", `${i}`);
  await client.flush();
  await until("the warning", () => seen.includes("slowConsumer"));
  const got = collect(subscription);
  await until("all messages", () => got.length === 100);
});

test("a payload above the limit is refused by the client before it is sent", async (t) => {
  const client = await t.client(await t.server("max_payload: 1KB\n"));
  assert.equal(client.info.max_payload, 1024);
  assert.throws(() => client.publish("big", new Uint8Array(1025)));
  client.publish("big", new Uint8Array(1024));
  await client.flush();
});

test("a server that is full refuses the next client and says why", async (t) => {
  const server = await t.server("max_connections: 1\n");
  // The connection that found the server up may still hold the place.
  const first = await until("place", () => server.connect({ reconnect: false }).catch(() => null));
  await assert.rejects(server.connect({ reconnect: false }));
  const refused = dial(server.port, "127.0.0.1");
  let text = "";
  refused.on("data", (bytes) => (text += bytes));
  await new Promise((done) => refused.on("close", done).on("error", done));
  assert.match(text, /-ERR 'maximum connections exceeded'\r\n$/);
  await first.flush();
  await first.close();
});
