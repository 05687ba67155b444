// A REST API for notes, kept in SQLite.
//
//   deno run -A examples/rest_api.ts             notes live in memory
//   deno run -A examples/rest_api.ts notes.db    notes live in a file
//
//   curl localhost:3000/notes -d '{"title": "Tea", "text": "Buy some"}'
//   curl localhost:3000/notes
//   curl localhost:3000/notes/1 -X PUT -d '{"title": "Tea", "text": "Bought"}'
//   curl localhost:3000/notes/1 -X DELETE

import { serve } from "@jstime/serve";
import { DatabaseSync } from "node:sqlite";

interface NoteContent {
  title: string;
  text: string;
}

/** An error that the client may see. */
class ApiError extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

const database = new DatabaseSync(Deno.args[0] ?? ":memory:");
database.exec(`CREATE TABLE IF NOT EXISTS notes (
  id INTEGER PRIMARY KEY, title TEXT NOT NULL, text TEXT NOT NULL
)`);
const all = database.prepare("SELECT * FROM notes ORDER BY id");
const one = database.prepare("SELECT * FROM notes WHERE id = ?");
const insert = database.prepare(
  "INSERT INTO notes (title, text) VALUES (?, ?) RETURNING *",
);
const update = database.prepare(
  "UPDATE notes SET title = ?, text = ? WHERE id = ? RETURNING *",
);
const remove = database.prepare("DELETE FROM notes WHERE id = ? RETURNING id");

const server = serve({
  maxRequestBodySize: 64 * 1024,
  routes: {
    "/notes": {
      GET: () => Response.json(all.all()),
      POST: async (request) => {
        const { title, text } = await readNote(request);
        const note = insert.get(title, text)!;
        const headers = { location: `/notes/${note.id}` };
        return Response.json(note, { status: 201, headers });
      },
    },
    "/notes/:id": {
      GET: (request) => Response.json(found(one.get(idOf(request.params.id)))),
      PUT: async (request) => {
        const id = idOf(request.params.id);
        const { title, text } = await readNote(request);
        return Response.json(found(update.get(title, text, id)));
      },
      DELETE: (request) => {
        found(remove.get(idOf(request.params.id)));
        return new Response(null, { status: 204 });
      },
    },
  },
  fetch: () => {
    throw new ApiError(404, "There is nothing here");
  },
  error: (error) => {
    if (error instanceof ApiError) {
      return Response.json({ error: error.message }, { status: error.status });
    }
    console.error(error);
    return Response.json({ error: "Something went wrong" }, { status: 500 });
  },
});

console.log(`Listening on ${server.url}notes`);

function idOf(text: string): number {
  if (/^[1-9][0-9]{0,14}$/.test(text)) return Number(text);
  throw new ApiError(404, `There is no note "${text}"`);
}

function found<Row>(row: Row | undefined): Row {
  if (row !== undefined) return row;
  throw new ApiError(404, "There is no such note");
}

async function readNote(request: Request): Promise<NoteContent> {
  const body = await request.json().catch((cause) => {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new ApiError(400, "Expected JSON");
  });
  const { title, text = "" } = body ?? {};
  if (typeof title !== "string" || title.trim() === "") {
    throw new ApiError(422, "Expected a title that is not empty");
  }
  if (title.length > 200) {
    throw new ApiError(422, "Expected a title of at most 200 characters");
  }
  if (typeof text !== "string") throw new ApiError(422, "Expected a text");
  return { title, text };
}
