// What the Juju Dashboard does every thirty seconds, with its own library: it lists the models,
// and for each one opens a socket for status and annotations, and asks for its information.
//
// node dashboard.mjs wss://HOST:PORT/api
// JUJU_USER and JUJU_PASSWORD log in, or JUJU_COOKIE ("name=value") in a browser's place.
// Prints JSON: {user, listed, facades, models: [{uuid, name, applications, annotations, info,
// error}], milliseconds: {list, poll}}.

import { connectAndLogin } from "@canonical/jujulib";
import Annotations from "@canonical/jujulib/dist/api/facades/annotations/index.js";
import Client from "@canonical/jujulib/dist/api/facades/client/index.js";
import ModelManager from "@canonical/jujulib/dist/api/facades/model-manager/index.js";
import Pinger from "@canonical/jujulib/dist/api/facades/pinger/index.js";
import WebSocket from "ws";

const endpoint = process.argv[2];
const { JUJU_USER: username, JUJU_PASSWORD: password, JUJU_COOKIE: cookie } = process.env;

/** A browser's WebSocket, which sends the cookie of the site. */
class Browser extends WebSocket {
  constructor(url) {
    super(url, cookie ? { headers: { Cookie: cookie } } : {});
  }
}

async function login(url) {
  let socket;
  const options = {
    facades: [Annotations, Client, ModelManager, Pinger],
    loginWithSessionCookie: Boolean(cookie),
    wsclass: Browser,
    closeCallback: () => {},
    onWSCreated: (created) => (socket = created),
  };
  try {
    return await connectAndLogin(url, options, cookie ? undefined : { username, password });
  } catch (error) {
    socket.terminate(); // the library leaves it open, and Node would wait for its end
    throw error;
  }
}

/** Status and annotations over the model's own socket, closed again. */
async function look(uuid) {
  const { conn, logout } = await login(endpoint.replace("/api", `/model/${uuid}/api`));
  try {
    const { client, annotations } = conn.facades;
    const status = await client.fullStatus({ patterns: [], "include-storage": true });
    const names = Object.keys(status.applications);
    const entities = names.map((name) => ({ tag: `application-${name}` }));
    const noted = await annotations.get({ entities });
    return {
      applications: Object.fromEntries(
        names.map((name) => [name, status.applications[name].status.status]),
      ),
      annotations: noted.results.map((each) => each.annotations ?? {}),
    };
  } finally {
    logout();
  }
}

async function poll() {
  const began = performance.now();
  const { conn, logout } = await login(endpoint);
  const { modelManager, pinger } = conn.facades;
  const user = conn.info.user.identity;
  const listed = (await modelManager.listModels({ tag: user }))["user-models"] ?? [];
  const list = performance.now() - began;
  const models = [];
  for (const { model } of listed) {
    const found = { uuid: model.uuid, name: model.name };
    try {
      Object.assign(found, await look(model.uuid));
    } catch (error) {
      found.error = String(error.message ?? error);
    }
    const told = await modelManager.modelInfo({ entities: [{ tag: `model-${model.uuid}` }] });
    found.info = told.results[0].result ?? told.results[0];
    models.push(found);
  }
  await pinger.ping({});
  const poll = performance.now() - began;
  const facades = Object.fromEntries(
    Object.entries(conn.facades).map(([name, facade]) => [name, facade.VERSION]),
  );
  logout();
  return { user, listed: listed.length, facades, models, milliseconds: { list, poll } };
}

poll().then(
  (told) => console.log(JSON.stringify(told)),
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
