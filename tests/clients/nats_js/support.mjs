// What the suites share: a server of their own on a free port, waiting for conditions, and the record of what ran.
import { test as nodeTest } from "node:test";
import { spawn } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, openSync, closeSync, rmSync, writeFileSync } from "node:fs";
import { createServer, connect as dial } from "node:net";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { connect } from "@nats-io/transport-node";

const ROOT = resolve(fileURLToPath(import.meta.url), "../../../..");
const PROGRAM = resolve(ROOT, process.env.PERIGEE_BIN ?? "build/perigee");
const DEADLINE_MS = 20_000;

const children = new Set();
process.on("exit", () => children.forEach((child) => child.kill("SIGKILL")));

/** Polls until `ready` returns something true, and returns that. */
export async function until(what, ready, ms = DEADLINE_MS) {
  for (const end = Date.now() + ms; ; ) {
    const result = await ready();
    if (result) return result;
    if (Date.now() > end) throw new Error(`still no ${what} after ${ms} ms`);
    await new Promise((next) => setTimeout(next, 5));
  }
}

function freePort() {
  return new Promise((done, fail) => {
    const probe = createServer().on("error", fail);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

// Whether a server answers on the port with its INFO line.
function greets(port) {
  return new Promise((done) => {
    const socket = dial(port, "127.0.0.1");
    const finish = (yes) => (socket.destroy(), done(yes));
    socket.on("error", () => finish(false)).on("close", () => finish(false));
    socket.on("data", (bytes) => finish(bytes.toString().startsWith("INFO ")));
  });
}

export class Server {
  /** Starts the program and waits until it greets; `config` is the text of a configuration file. */
  static async start(config = "", port = undefined) {
    for (let attempt = 1; ; attempt++) {
      const server = new Server(port ?? (await freePort()), config);
      if (await server.up()) return server;
      const log = server.log();
      await server.stop();
      if (attempt === 3) throw new Error(`${PROGRAM} did not start:\n${log}`);
    }
  }

  constructor(port, config) {
    this.port = port;
    this.config = config;
    this.dir = mkdtempSync(join(tmpdir(), "perigee-js-"));
    writeFileSync(join(this.dir, "server.conf"), config);
    const log = openSync(join(this.dir, "log"), "w");
    const options = ["-a", "127.0.0.1", "-p", `${port}`, "-c", join(this.dir, "server.conf")];
    this.child = spawn(PROGRAM, options, { stdio: ["ignore", log, log] });
    this.ended = new Promise((done) => this.child.on("exit", done).on("error", done));
    closeSync(log);
    children.add(this.child);
    this.ended.then(() => children.delete(this.child));
  }

  log() { return readFileSync(join(this.dir, "log"), "utf8"); }
  get servers() { return `127.0.0.1:${this.port}`; }

  up() {
    const ended = () => this.child.exitCode !== null || this.child.signalCode !== null || !this.child.pid;
    return until("greeting", async () => ended() ? "ended" : (await greets(this.port)) && "up").then((w) => w === "up");
  }

  connect(options = {}) { return connect({ servers: this.servers, ...options }); }

  async stop() {
    this.child.kill("SIGTERM");
    await this.ended;
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** A test whose outcome is also written to PERIGEE_RAN; `t.server(config)` and `t.client(server)` end with the test. */
export function suite(url) {
  const file = `tests/clients/nats_js/${basename(fileURLToPath(url))}`;
  return (name, body) => nodeTest(name, { timeout: 60_000 }, async () => {
    const endings = [];
    const t = {
      server: async (config, port) => {
        const server = await Server.start(config, port);
        endings.push(() => server.stop());
        return server;
      },
      client: async (server, options) => {
        const client = await server.connect(options);
        endings.push(() => client.close());
        return client;
      },
    };
    let outcome = "failed";
    try {
      await body(t);
      outcome = "passed";
    } finally {
      for (const end of endings.reverse()) await end();
      if (process.env.PERIGEE_RAN) appendFileSync(process.env.PERIGEE_RAN, `${file}\t${name}\t${outcome}\n`);
    }
  });
}

/** Collects what a subscription receives. */
export function collect(subscription) {
  const messages = [];
  (async () => { for await (const message of subscription) messages.push(message); })();
  return messages;
}
