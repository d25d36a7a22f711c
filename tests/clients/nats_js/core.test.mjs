// Publishing, subscribing, queue groups, headers and requests, as nats.js does them.
import assert from "node:assert/strict";
import { headers } from "@nats-io/transport-node";
import { collect, suite, until } from "./support.mjs";

const test = suite(import.meta.url);

test("what one client publishes, another one receives in order", async (t) => {
  const server = await t.server();
  const [publisher, subscriber] = [await t.client(server), await t.client(server)];
  const got = collect(subscriber.subscribe("orders.>"));
  await subscriber.flush();
  for (let i = 0; i < 1000; i++) publisher.publish(`orders.${i % 7}`, `${i}`);
  await until("all messages", () => got.length === 1000);
  assert.deepEqual(got.map((m) => m.string()), Array.from({ length: 1000 }, (_, i) => `${i}`));
  assert.equal(got[8].subject, "orders.1");
});

test("empty, binary and large payloads arrive as they were sent", async (t) => {
  const server = await t.server();
  const client = await t.client(server);
  const got = collect(client.subscribe("blob"));
  const every = Uint8Array.from({ length: 256 }, (_, i) => i);
  const largest = new Uint8Array(client.info.max_payload).fill(0x0d);
  for (const payload of [new Uint8Array(), every, largest]) client.publish("blob", payload);
  await until("three messages", () => got.length === 3);
  assert.equal(got[0].data.length, 0);
  assert.deepEqual([...got[1].data], [...every]);
  assert.ok(Buffer.from(got[2].data).equals(Buffer.from(largest)));
});

test("the server introduces itself as the version that clients expect", async (t) => {
  const client = await t.client(await t.server());
  assert.equal(client.info.version, "2.15.2");
  assert.equal(client.info.headers, true);
  assert.equal(client.info.max_payload, 1048576);
  assert.equal(client.info.proto, 1);
});

test("wildcards match tokens, and only them", async (t) => {
  const client = await t.client(await t.server());
  const star = collect(client.subscribe("a.*.c"));
  const rest = collect(client.subscribe("a.>"));
  for (const subject of ["a.b.c", "a.b", "a", "a.b.c.d", "b.b.c"]) client.publish(subject);
  await client.flush();
  await until("wildcard matches", () => star.length === 1 && rest.length === 3);
  assert.deepEqual(rest.map((m) => m.subject), ["a.b.c", "a.b", "a.b.c.d"]);
});

test("headers arrive with several values and any case", async (t) => {
  const client = await t.client(await t.server());
  const got = collect(client.subscribe("h"));
  const sent = headers();
  sent.append("Trace", "one");
  sent.append("Trace", "two");
  sent.set("content-type", "text/plain");
  client.publish("h", "body", { headers: sent });
  await until("the message", () => got.length === 1);
  assert.deepEqual(got[0].headers.values("Trace"), ["one", "two"]);
  assert.equal(got[0].headers.get("content-type"), "text/plain");
  assert.equal(got[0].string(), "body");
});

test("each message of a queue group goes to one of its members", async (t) => {
  const server = await t.server();
  const publisher = await t.client(server);
  const members = [];
  for (let i = 0; i < 4; i++) {
    const member = await t.client(server);
    members.push(collect(member.subscribe("jobs", { queue: "workers" })));
    await member.flush();
  }
  const all = collect(publisher.subscribe("jobs"));
  for (let i = 0; i < 400; i++) publisher.publish("jobs", `${i}`);
  const shared = () => members.reduce((sum, got) => sum + got.length, 0);
  await until("all jobs", () => all.length === 400 && shared() >= 400);
  await publisher.flush();
  assert.equal(shared(), 400);
  assert.equal(new Set(members.flat().map((m) => m.string())).size, 400);
  for (const got of members) assert.ok(got.length > 40, `a member got ${got.length} of 400`);
});

test("a subscription ends after the number of messages it asked for", async (t) => {
  const client = await t.client(await t.server());
  const few = client.subscribe("few", { max: 3 });
  const got = collect(few);
  for (let i = 0; i < 10; i++) client.publish("few", `${i}`);
  await client.flush();
  await few.closed;
  assert.deepEqual(got.map((m) => m.string()), ["0", "1", "2"]);
});

test("a client that asked for no echo does not hear itself", async (t) => {
  const server = await t.server();
  const silent = await t.client(server, { noEcho: true });
  const other = await t.client(server);
  const [own, heard] = [collect(silent.subscribe("echo")), collect(other.subscribe("echo"))];
  await Promise.all([silent.flush(), other.flush()]);
  silent.publish("echo", "from the silent one");
  other.publish("echo", "from the other");
  await until("messages", () => heard.length === 2 && own.length === 1);
  await silent.flush();
  assert.deepEqual(own.map((m) => m.string()), ["from the other"]);
});

test("requests are answered, many at once, over one connection and over two", async (t) => {
  const server = await t.server();
  const [requester, responder] = [await t.client(server), await t.client(server)];
  responder.subscribe("double", { callback: (_, m) => m.respond(`${2 * Number(m.string())}`) });
  await responder.flush();
  for (const client of [requester, responder]) {
    const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => client.request("double", `${i}`)));
    assert.deepEqual(answers.map((m) => Number(m.string())), Array.from({ length: 200 }, (_, i) => 2 * i));
  }
  const single = await requester.request("double", "21", { noMux: true, timeout: 5000 });
  assert.equal(single.string(), "42");
});

test("a request that nobody serves fails at once with no responders", async (t) => {
  const client = await t.client(await t.server());
  const before = Date.now();
  await assert.rejects(client.request("nobody", "", { timeout: 30_000 }), (error) => error.isNoResponders?.() || /no responders/i.test(`${error} ${error.cause}`));
  assert.ok(Date.now() - before < 10_000);
});

test("one request gathers the answers of many", async (t) => {
  const server = await t.server();
  const requester = await t.client(server);
  for (let i = 0; i < 5; i++) {
    const responder = await t.client(server);
    responder.subscribe("roll.call", { callback: (_, m) => m.respond(`${i}`) });
    await responder.flush();
  }
  for (const options of [{ strategy: "count", maxMessages: 5 }, { strategy: "stall", stall: 500 }]) {
    const answers = [];
    for await (const m of await requester.requestMany("roll.call", "", { maxWait: 20_000, ...options })) answers.push(m.string());
    assert.deepEqual(answers.sort(), ["0", "1", "2", "3", "4"], options.strategy);
  }
});

test("requests for many answers end at the sentinel, and at once when nobody serves them", async (t) => {
  const server = await t.server();
  const [requester, responder] = [await t.client(server), await t.client(server)];
  responder.subscribe("list", { callback: (_, m) => [..."abc", ""].forEach((item) => m.respond(item)) });
  await responder.flush();
  const items = [];
  for await (const m of await requester.requestMany("list", "", { strategy: "sentinel", maxWait: 20_000 })) items.push(m.string());
  assert.deepEqual(items.filter(Boolean), ["a", "b", "c"]);
  await assert.rejects(async () => {
    for await (const m of await requester.requestMany("nobody", "", { maxWait: 20_000 })) assert.fail(m.subject);
  });
});

test("draining a connection delivers what was under way and then closes it", async (t) => {
  const server = await t.server();
  const [publisher, subscriber] = [await t.client(server), await t.client(server)];
  let seen = 0;
  subscriber.subscribe("work", { callback: () => seen++ });
  await subscriber.flush();
  for (let i = 0; i < 5000; i++) publisher.publish("work");
  await publisher.flush();
  await subscriber.drain();
  assert.equal(seen, 5000);
  assert.ok(subscriber.isClosed());
});

test("draining a subscription leaves the others alone", async (t) => {
  const client = await t.client(await t.server());
  const [leaving, staying] = [client.subscribe("s"), client.subscribe("s")];
  const [left, stayed] = [collect(leaving), collect(staying)];
  client.publish("s", "1");
  await leaving.drain();
  client.publish("s", "2");
  await until("messages", () => stayed.length === 2);
  assert.equal(left.length, 1);
});

test("a thousand subscriptions of one client each get their own messages", async (t) => {
  const server = await t.server();
  const [publisher, subscriber] = [await t.client(server), await t.client(server)];
  const counts = new Array(1000).fill(0);
  for (let i = 0; i < 1000; i++) subscriber.subscribe(`many.${i}`, { callback: (error) => { if (!error) counts[i]++; } });
  await subscriber.flush();
  for (let round = 0; round < 3; round++) for (let i = 0; i < 1000; i++) publisher.publish(`many.${i}`);
  await until("every message", () => counts.every((n) => n === 3));
});

test("a round trip is measured and statistics count both ways", async (t) => {
  const client = await t.client(await t.server());
  const got = collect(client.subscribe("n"));
  client.publish("n", "12345");
  await until("the message", () => got.length === 1);
  assert.ok((await client.rtt()) >= 0);
  const { inMsgs, inBytes, outMsgs, outBytes } = client.stats();
  assert.deepEqual({ inMsgs, inBytes, outMsgs, outBytes }, { inMsgs: 1, inBytes: 5, outMsgs: 1, outBytes: 5 });
});
