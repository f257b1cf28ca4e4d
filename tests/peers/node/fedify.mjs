// SPDX-License-Identifier: Apache-2.0
// A small server made with Fedify: one person, one forum, every document to signed requests only.
// Its own state is at /state, what it is to do is posted to /control; both on loopback only.
import './loopback.mjs';
import './node20.mjs';
import { createServer } from 'node:http';
import { configure } from '@logtape/logtape';
import { Temporal } from '@js-temporal/polyfill';

// Its second line, on Node 22, keeps the vocabulary in a package of its own.
const second = process.env.FEDIFY_LINE === '2';
const { createFederation, generateCryptoKeyPair, MemoryKvStore } = await import(second ? 'fedify2' : '@fedify/fedify');
const {
  Accept, Activity, Announce, Application, Article, Create, Delete, Endpoints, Follow, getActorHandle,
  Group, isActor, Like, Note, Person, PUBLIC_COLLECTION, Reject, Tombstone, Undo, Update,
} = await import(second ? '@fedify/vocab' : '@fedify/fedify');

await configure({
  sinks: { errors: (record) => console.error(record.level, record.message.map((part) => typeof part === 'string' ? part : JSON.stringify(part)).join(''), record.properties?.error ?? '') },
  loggers: [{ category: ['logtape', 'meta'], sinks: [], lowestLevel: 'fatal' }, { category: 'fedify', sinks: ['errors'], lowestLevel: process.env.LOG_LEVEL ?? 'warning' }],
});

// Everything it sends to an inbox is kept as it was sent, and everything it shows.
const fetch = globalThis.fetch;
const exchanges = { sent: [], shown: {} };
globalThis.fetch = async (request, options) => {
  const asked = new Request(request, options);
  const kept = asked.clone();
  const answer = await fetch(asked);
  if (kept.method === 'POST') {
    const headers = { host: new URL(kept.url).host, ...Object.fromEntries(kept.headers) };
    exchanges.sent.push({ method: 'POST', url: kept.url, headers, body: await kept.text(), status: answer.status });
  }
  return answer;
};

const [host, port] = process.argv.slice(2);
const origin = `http://${host}:${port}`;
const TYPES = { vera: Person, rules: Group, [host]: Application };
const NAMES = { vera: 'Vera Lind', rules: 'House rules', [host]: 'A small server' };
const keys = {};
const notes = new Map();
const state = { follows: {}, followers: {}, posts: {}, received: [], refused: [] };

const federation = createFederation({ kv: new MemoryKvStore(), allowPrivateAddress: true });
const context = () => federation.createContext(new URL(origin), undefined);
// Whatever this server asks, it asks signed by its own actor.
const loader = (ctx) => ctx.getDocumentLoader({ identifier: host });

async function isSigned(ctx) {
  const signed = await ctx.getSignedKeyOwner({ documentLoader: await loader(ctx) });
  if (signed === null) state.refused.push(ctx.url.pathname);
  return signed !== null;
}

federation
  .setActorDispatcher('/users/{identifier}', async (ctx, identifier) => {
    if (!(identifier in TYPES)) return null;
    const pairs = await ctx.getActorKeyPairs(identifier);
    return new TYPES[identifier]({
      id: ctx.getActorUri(identifier),
      preferredUsername: identifier,
      name: NAMES[identifier],
      inbox: ctx.getInboxUri(identifier),
      outbox: ctx.getOutboxUri(identifier),
      followers: ctx.getFollowersUri(identifier),
      endpoints: new Endpoints({ sharedInbox: ctx.getInboxUri() }),
      publicKey: pairs[0].cryptographicKey,
      assertionMethods: pairs.map((pair) => pair.multikey),
    });
  })
  .setKeyPairsDispatcher(async (_, identifier) => {
    keys[identifier] ??= [
      await generateCryptoKeyPair('RSASSA-PKCS1-v1_5'),
      await generateCryptoKeyPair('Ed25519'),
    ];
    return keys[identifier];
  })
  .authorize(async (ctx, identifier) => identifier === host || (await isSigned(ctx)));

federation
  .setFollowersDispatcher('/users/{identifier}/followers', async () => {
    return { items: Object.values(state.followers).map(({ uri, inbox }) => ({ id: new URL(uri), inboxId: new URL(inbox) })) };
  })
  .authorize(isSigned);

federation
  .setOutboxDispatcher('/users/{identifier}/outbox', async (ctx, identifier) => ({
    items: identifier === 'rules' ? [...notes.values()].filter((one) => one.live && !one.parent).map((one) => announceOf(ctx, createOf(ctx, one))) : [],
  }))
  .authorize(isSigned);

federation
  .setObjectDispatcher(Note, '/notes/{id}', (ctx, { id }) => {
    const one = notes.get(id);
    return one === undefined ? null : one.live ? noteOf(ctx, one) : new Tombstone({ id: ctx.getObjectUri(Note, { id }) });
  })
  .authorize(isSigned);

federation.setNodeInfoDispatcher('/nodeinfo/2.1', () => ({
  software: { name: 'small-fedify-server', version: { major: 1, minor: 0, patch: 0 } },
  protocols: ['activitypub'],
  usage: { users: { total: 1 }, localPosts: notes.size, localComments: 0 },
}));

// What it writes

const now = () => Temporal.Now.instant();
process.on('unhandledRejection', (error) => state.refused.push(String(error)));
const uriOf = (ctx, one) => ctx.getObjectUri(Note, { id: one.id });

function recipients(ctx, one) {
  return {
    tos: [PUBLIC_COLLECTION, new URL(one.forum)],
    ccs: [ctx.getFollowersUri('vera'), ...(one.parentAuthor ? [new URL(one.parentAuthor)] : [])],
    audience: new URL(one.forum),
  };
}

function noteOf(ctx, one) {
  return new Note({
    id: uriOf(ctx, one),
    attribution: ctx.getActorUri('vera'),
    ...recipients(ctx, one),
    name: one.name,
    content: one.content,
    replyTarget: one.parent ? new URL(one.parent) : null,
    published: one.published,
    updated: one.updated,
  });
}

function activityOf(ctx, Kind, name, one, object) {
  return new Kind({
    id: new URL(`#${name}`, ctx.getActorUri('vera')),
    actor: ctx.getActorUri('vera'),
    ...recipients(ctx, one),
    object,
  });
}

const createOf = (ctx, one) => activityOf(ctx, Create, `create-${one.id}`, one, noteOf(ctx, one));

function announceOf(ctx, activity) {
  return new Announce({
    id: new URL(`#announce-${encodeURIComponent(activity.id.href)}`, ctx.getActorUri('rules')),
    actor: ctx.getActorUri('rules'),
    tos: [PUBLIC_COLLECTION],
    ccs: [ctx.getFollowersUri('rules')],
    object: activity,
  });
}

// What it hears

async function said(ctx, activity) {
  if (activity instanceof Create || activity instanceof Update) {
    const post = await activity.getObject({ ...ctx, documentLoader: await loader(ctx) });
    if (post instanceof Note || post instanceof Article) await keep(post);
  } else if (activity instanceof Delete) {
    const known = state.posts[activity.objectId?.href];
    if (known) known.deleted = true;
  } else if (activity instanceof Like) {
    like(activity.objectId.href, activity.actorId.href, true);
  } else if (activity instanceof Undo) {
    const undone = await activity.getObject(ctx);
    if (undone instanceof Like) like(undone.objectId.href, undone.actorId.href, false);
    if (undone instanceof Follow) delete state.followers[activity.actorId.href];
  }
}

async function keep(post) {
  state.posts[post.id.href] = {
    likes: [],
    ...state.posts[post.id.href],
    type: post.constructor.name,
    name: post.name?.toString() ?? '',
    content: post.content?.toString() ?? '',
    author: post.attributionId?.href,
    parent: post.replyTargetId?.href ?? '',
    deleted: false,
  };
}

function like(uri, actor, given) {
  const known = (state.posts[uri] ??= { likes: [] });
  known.likes = known.likes.filter((one) => one !== actor).concat(given ? [actor] : []);
}

federation
  .setInboxListeners('/users/{identifier}/inbox', '/inbox')
  .setSharedKeyDispatcher(() => ({ identifier: host }))
  .on(Follow, async (ctx, follow) => {
    const { identifier } = ctx.parseUri(follow.objectId);
    const follower = await follow.getActor({ ...ctx, documentLoader: await loader(ctx) });
    state.followers[follower.id.href] = {
      uri: follower.id.href,
      inbox: follower.inboxId.href,
      handle: await getActorHandle(follower, ctx).catch(() => ''),
    };
    await ctx.sendActivity({ identifier }, follower, new Accept({
      id: new URL(`#accept-${state.received.length}`, ctx.getActorUri(identifier)),
      actor: follow.objectId,
      to: follower.id,
      object: follow,
    }));
  })
  .on(Accept, (ctx, accept) => {
    // The Follow is of this server, so its id says which one it is.
    if (accept.objectId.href === new URL('#follow', ctx.getActorUri('vera')).href) state.follows[accept.actorId.href] = 'accepted';
  })
  .on(Reject, (_, reject) => { state.follows[reject.actorId.href] = 'rejected'; })
  .on(Announce, async (ctx, announce) => {
    const of = announce.objectId?.href;
    const object = await announce.getObject({ ...ctx, documentLoader: await loader(ctx) });
    state.received.push({ by: announce.actorId.href, type: 'Announce', of });
    if (object instanceof Activity) await said(ctx, object);
    else if (object !== null && !isActor(object)) {
      await keep(object);
      state.posts[object.id.href].boosted = true;
    }
  })
  .on(Activity, async (ctx, activity) => {
    state.received.push({ by: activity.actorId.href, type: activity.constructor.name });
    await said(ctx, activity);
    const known = activity instanceof Undo ? null : await activity.getObject(ctx).catch(() => null);
    if (known?.audienceId?.href === ctx.getActorUri('rules').href) await announce(ctx, activity);
  })
  .onError((_, error) => state.refused.push(String(error)));

async function announce(ctx, activity) {
  for (const { uri, inbox } of Object.values(state.followers)) {
    await ctx.sendActivity({ identifier: 'rules' }, { id: new URL(uri), inboxId: new URL(inbox) }, announceOf(ctx, activity));
  }
}

// What it is told to do

async function actor(ctx, uri) {
  const found = await ctx.lookupObject(uri, { documentLoader: await loader(ctx) });
  if (!isActor(found)) throw new Error(`${uri} is no actor`);
  return found;
}

async function tell(ctx, one, activity) {
  if (one.forum === ctx.getActorUri('rules').href) return announce(ctx, activity);
  const forum = await actor(ctx, one.forum);
  return ctx.sendActivity({ identifier: 'vera' }, forum, activity);
}

const deeds = {
  async finger(ctx, { resource }) {
    const found = await ctx.lookupWebFinger(resource);
    return { self: found?.links?.find((link) => link.rel === 'self')?.href, subject: found?.subject };
  },
  async look(ctx, { uri }) {
    const found = await actor(ctx, uri);
    const key = await found.getPublicKey({ ...ctx, documentLoader: await loader(ctx) });
    return { type: found.constructor.name, name: found.name?.toString(), key: key?.id?.href, shared: found.endpoints?.sharedInbox?.href };
  },
  async count(ctx, { uri }) {
    const found = await ctx.lookupObject(uri, { documentLoader: await loader(ctx) });
    return { total: found.totalItems };
  },
  async follow(ctx, { uri, undo }) {
    const forum = await actor(ctx, uri);
    const follow = new Follow({ id: new URL('#follow', ctx.getActorUri('vera')), actor: ctx.getActorUri('vera'), to: forum.id, object: forum.id });
    if (!undo) state.follows[uri] = 'pending';
    const sent = undo ? new Undo({ id: new URL('#unfollow', ctx.getActorUri('vera')), actor: ctx.getActorUri('vera'), to: forum.id, object: follow }) : follow;
    await ctx.sendActivity({ identifier: 'vera' }, forum, sent);
    return {};
  },
  async write(ctx, { forum, name, content, parent, parentAuthor }) {
    const one = { id: String(notes.size + 1), forum, name, content, parent, parentAuthor, published: now(), live: true };
    notes.set(one.id, one);
    await tell(ctx, one, createOf(ctx, one));
    return { uri: uriOf(ctx, one).href, id: one.id };
  },
  async edit(ctx, { id, content }) {
    const one = Object.assign(notes.get(id), { content, updated: now() });
    await tell(ctx, one, activityOf(ctx, Update, `update-${id}`, one, noteOf(ctx, one)));
    return {};
  },
  async remove(ctx, { id }) {
    const one = Object.assign(notes.get(id), { live: false });
    await tell(ctx, one, activityOf(ctx, Delete, `delete-${id}`, one, uriOf(ctx, one)));
    return {};
  },
  async like(ctx, { uri, forum, undo }) {
    const given = activityOf(ctx, Like, `like-${encodeURIComponent(uri)}`, { forum }, new URL(uri));
    await tell(ctx, { forum }, undo ? activityOf(ctx, Undo, `unlike-${encodeURIComponent(uri)}`, { forum }, given) : given);
    return {};
  },
};

async function answer(request, url) {
  if (url.pathname === '/state') return Response.json(state);
  if (url.pathname === '/exchanges') return Response.json(exchanges);
  if (url.pathname === '/control') {
    const { do: deed, ...given } = await request.json();
    try {
      return Response.json(await deeds[deed](context(), given));
    } catch (error) {
      return Response.json({ error: String(error?.stack ?? error) }, { status: 500 });
    }
  }
  const response = await federation.fetch(request, { contextData: undefined });
  if (response.ok && request.method === 'GET') {
    exchanges.shown[url.href] = { type: response.headers.get('content-type'), body: await response.clone().text() };
  }
  return response;
}

createServer(async (asked, answered) => {
  const chunks = [];
  for await (const chunk of asked) chunks.push(chunk);
  const body = chunks.length ? Buffer.concat(chunks) : undefined;
  const url = new URL(asked.url, `http://${asked.headers.host}`);
  const response = await answer(new Request(url, { method: asked.method, headers: asked.headers, body }), url);
  answered.writeHead(response.status, Object.fromEntries(response.headers));
  answered.end(Buffer.from(await response.arrayBuffer()));
}).listen(Number(port), '127.0.0.1', () => console.log('ready'));
