// A real OpenID Connect provider on this machine, with the people that a test names.
//
// node provider.mjs PORT SETTINGS: SETTINGS is JSON with `clients` (as in dynamic registration)
// and `people` (claims by subject). PUT /control/people takes other people, POST /control/keys
// makes it sign with new keys, GET /control/granted tells how often each grant was asked for.

import { generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer } from "node:http";

import Provider from "oidc-provider";

const [port, settings] = [Number(process.argv[2]), JSON.parse(process.argv[3])];
const granted = {};
let people = settings.people;
let handle = provider().callback();

function provider() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const key = { ...privateKey.export({ format: "jwk" }), kid: randomUUID(), use: "sig", alg: "RS256" };
  const made = new Provider(`http://127.0.0.1:${port}`, {
    clients: settings.clients,
    jwks: { keys: [key] },
    cookies: { keys: [randomUUID()] },
    pkce: { required: () => true },
    claims: {
      openid: ["sub"],
      email: ["email", "email_verified"],
      profile: ["name", "preferred_username"],
      groups: ["groups"],
    },
    scopes: ["openid", "email", "profile", "groups"],
    features: { deviceFlow: { enabled: true }, clientCredentials: { enabled: true } },
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({ sub: id, ...people[id] }),
    }),
    ttl: { AccessToken: 600, IdToken: 600, Interaction: 600, Session: 600, Grant: 600, DeviceCode: 600 },
  });
  for (const event of ["grant.success", "grant.error"]) {
    made.on(event, (context) => {
      const type = context.oidc.params?.grant_type;
      granted[type] = (granted[type] ?? 0) + 1;
    });
  }
  return made;
}

async function control(request, response) {
  if (request.url === "/control/people") {
    const parts = [];
    for await (const part of request) parts.push(part);
    people = JSON.parse(Buffer.concat(parts));
  } else if (request.url === "/control/keys") {
    handle = provider().callback();
  }
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(granted));
}

createServer((request, response) =>
  request.url.startsWith("/control/") ? control(request, response) : handle(request, response),
).listen(port, "127.0.0.1");
