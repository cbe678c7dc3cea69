// Node as a peer: the built-in `http` and `pg`, as its users write it, one process, with the same SQL as
// ours. loadtest/versus starts it and reads the port from its first line:
//
//   node loadtest/peers/node.js DATABASE_URL        prints "http://127.0.0.1:PORT"
//
// Answers carry the four header fields of ours and no others. `pg` sends one query at a time on a
// connection; its pool has ten of them, which is what pg takes by default.
"use strict";

const fs = require("fs");
const http = require("http");
const path = require("path");
const { Pool } = require("pg");

const sql = fs.readFileSync(path.join(__dirname, "../../sql/statements/world_by_id.sql"), "utf8");

// "postgresql://user@/name?host=/directory&port=5432" as config/run/cluster prints it, or with a host.
function databaseOptions(text) {
    const url = new URL(text.replace("@/", "@localhost/"));
    return {
        user: decodeURIComponent(url.username),
        password: decodeURIComponent(url.password) || undefined,
        database: url.pathname.slice(1),
        host: url.searchParams.get("host") || url.hostname,
        port: Number(url.searchParams.get("port") || url.port || 5432),
    };
}

const pool = new Pool(databaseOptions(process.argv[2]));

async function world() {
    const id = 1 + Math.floor(Math.random() * 10000);
    const { rows } = await pool.query({ name: "world", text: sql, values: [id] });
    return { id: rows[0].id, randomNumber: rows[0].randomnumber };
}

// From 1 to 500; what is no number counts as 1.
function count(url) {
    const n = parseInt(url.searchParams.get("queries"), 10);
    return Math.min(Math.max(n || 1, 1), 500);
}

const json = (value) => ["application/json", JSON.stringify(value)];

const routes = {
    "/plaintext": () => ["text/plain", "Hello, World!"],
    "/json": () => json({ message: "Hello, World!" }),
    "/db": async () => json(await world()),
    "/queries": async (url) => json(await Promise.all(Array.from({ length: count(url) }, world))),
};

async function answer(request, response) {
    const url = new URL(request.url, "http://localhost");
    const route = routes[url.pathname];
    response.removeHeader("Connection");
    try {
        const [type, body] = route ? await route(url) : ["text/plain", "not found"];
        response.writeHead(route ? 200 : 404, {
            Server: "node",
            "Content-Type": type,
            "Content-Length": Buffer.byteLength(body),
        });
        response.end(body);
    } catch (error) {
        response.writeHead(500, { "Content-Length": 0 });
        response.end();
        console.error(error);
    }
}

const server = http.createServer(answer);
server.keepAliveTimeout = 600000;
server.listen(0, "127.0.0.1", 4096, () => {
    console.log(`http://127.0.0.1:${server.address().port}`);
});
process.on("SIGTERM", () => process.exit(0));
