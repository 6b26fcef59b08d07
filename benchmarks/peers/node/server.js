// Fastify over better-sqlite3: statements prepared once, answers by a schema, writes durable.
"use strict";

const { randomUUID } = require("node:crypto");
const Database = require("better-sqlite3");
const fastify = require("fastify");

const database = new Database(process.env.PEER_DATABASE);
database.pragma("journal_mode = WAL");
database.pragma("synchronous = FULL"); // better-sqlite3 would leave it at NORMAL, which may lose the last commits
database.pragma("foreign_keys = ON");

const text = { type: "string" };
const maybe = { type: ["string", "null"] };
const number = { type: "integer" };
const author = {
  type: "object",
  properties: { id: text, name: text, dob: maybe, version: number, created_at: text, updated_at: text },
};
const contributor = { type: "object", properties: { author_id: text, role: maybe } };
const book = {
  type: "object",
  properties: {
    id: text, title: text, subtitle: maybe, author_id: text, contributors: { type: "array", items: contributor },
    isbn: maybe, published: maybe, languages: { type: "array", items: text }, version: number, created_at: text,
    updated_at: text, sources: { type: "array", items: text }, author,
  },
};
const page = {
  type: "object",
  properties: { items: { type: "array", items: book }, limit: number, offset: number, total: number },
};
const asked = {
  type: "object",
  properties: {
    currentPage: { type: "integer", minimum: 1, default: 1 },
    pageSize: { type: "integer", minimum: 1, maximum: 100, default: 10 },
    author_id: { type: "string", format: "uuid" },
    q: text,
  },
};
const given = {
  type: "object",
  required: ["title", "author_id"],
  properties: {
    title: text, author_id: { type: "string", format: "uuid" }, published: maybe,
    languages: { type: "array", items: text, default: [] },
  },
};

const BOOKS = `
  SELECT book.id, book.title, book.subtitle, book.author_id, book.contributors, book.isbn, book.published,
    book.languages, book.version, book.created_at, book.updated_at, book.sources, author.name, author.dob,
    author.version AS author_version, author.created_at AS author_created_at, author.updated_at AS author_updated_at
  FROM book JOIN author ON author.id = book.author_id`;
const statements = new Map();
const prepared = (sql) => {
  if (!statements.has(sql)) statements.set(sql, database.prepare(sql));
  return statements.get(sql);
};
const one = prepared(`${BOOKS} WHERE book.id = ?`);
const insert = prepared(`
  INSERT INTO book (id, title, sort_title, author_id, contributors, published, languages, sources, version,
    created_at, updated_at)
  VALUES (?, ?, ?, ?, '[]', ?, ?, '[]', 1, ?, ?)`);

const bookOf = (row) => ({
  id: row.id, title: row.title, subtitle: row.subtitle, author_id: row.author_id,
  contributors: JSON.parse(row.contributors), isbn: row.isbn, published: row.published,
  languages: JSON.parse(row.languages), version: row.version, created_at: row.created_at,
  updated_at: row.updated_at, sources: JSON.parse(row.sources),
  author: {
    id: row.author_id, name: row.name, dob: row.dob, version: row.author_version,
    created_at: row.author_created_at, updated_at: row.author_updated_at,
  },
});

const app = fastify({ logger: false });

app.get("/books/:id", { schema: { response: { 200: book } } }, async (request, reply) => {
  const row = one.get(request.params.id);
  return row ? bookOf(row) : reply.code(404).send({ detail: "there is no such book" });
});

app.get("/books", { schema: { querystring: asked, response: { 200: page } } }, async (request) => {
  const { currentPage, pageSize, author_id, q } = request.query;
  const conditions = [], values = [];
  if (author_id) {
    conditions.push("book.author_id = ?");
    values.push(author_id);
  }
  for (const word of (q ?? "").split(" ").filter(Boolean)) {
    conditions.push("book.title LIKE ?");
    values.push(`%${word}%`);
  }
  const where = conditions.length ? `WHERE ${conditions.join(" AND ")}` : "";
  const offset = pageSize * (currentPage - 1);
  const { total } = prepared(`SELECT count(*) AS total FROM book ${where}`).get(...values);
  const rows = prepared(`${BOOKS} ${where} ORDER BY book.sort_title, book.id LIMIT ? OFFSET ?`)
    .all(...values, pageSize, offset);
  return { items: rows.map(bookOf), limit: pageSize, offset, total };
});

app.post("/books", { schema: { body: given, response: { 201: book } } }, async (request, reply) => {
  const { title, author_id, published, languages } = request.body;
  const id = randomUUID(), now = new Date().toISOString();
  insert.run(id, title, title.toLowerCase(), author_id, published ?? null, JSON.stringify(languages), now, now);
  return reply.code(201).send(bookOf(one.get(id)));
});

app.listen({ host: "127.0.0.1", port: Number(process.env.PORT) });
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => app.close().then(() => database.close()));
