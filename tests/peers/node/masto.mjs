// SPDX-License-Identifier: Apache-2.0
// A browser's and a phone's client library, as it comes, signed in to one of our agencies.
import { createOAuthAPIClient, createRestAPIClient, createStreamingAPIClient } from 'masto';
import { readFileSync } from 'node:fs';
import './loopback.mjs';

const given = JSON.parse(readFileSync(0, 'utf8'));
const { url, handle } = given;
const seen = {};

if (!given.code) {
  const rest = createRestAPIClient({ url });
  const app = await rest.v1.apps.create({
    clientName: 'masto.js', redirectUris: 'urn:ietf:wg:oauth:2.0:oob', scopes: 'read write follow push',
  });
  seen.app = app;
} else {
  const oauth = createOAuthAPIClient({ url });
  const token = await oauth.token.create({
    clientId: given.app.clientId, clientSecret: given.app.clientSecret, code: given.code,
    redirectUri: 'urn:ietf:wg:oauth:2.0:oob', grantType: 'authorization_code', scope: 'read write follow push',
  });
  const masto = createRestAPIClient({ url, accessToken: token.accessToken });
  seen.me = (await masto.v1.accounts.verifyCredentials()).acct;
  const instance = await masto.v2.instance.fetch();
  seen.version = instance.version;
  const found = await masto.v2.search.list({ q: handle, resolve: true, type: 'accounts' });
  seen.forum = found.accounts[0].acct;
  const asked = await masto.v1.accounts.$select(found.accounts[0].id).follow();
  seen.followed = asked.following || asked.requested;
  const streaming = createStreamingAPIClient({
    streamingApiUrl: instance.configuration.urls.streaming, accessToken: token.accessToken,
  });
  const events = streaming.user.subscribe();
  let home = [];
  for (let tries = 0; tries < 200 && !home.length; tries += 1) {
    home = await masto.v1.timelines.home.list({ limit: 5 });
    if (!home.length) await new Promise((done) => setTimeout(done, 100));
  }
  const thread = home[0].reblog;
  seen.thread = thread.content;
  let heard = null;
  const listening = (async () => {
    for await (const event of events) {
      if (event.event !== 'update') continue;
      heard = event.payload;
      return;
    }
  })();
  // Nothing says when the stream is open, and what is written before is told to nobody.
  const sent = [];
  for (let tries = 0; tries < 5 && !heard; tries += 1) {
    sent.push(await masto.v1.statuses.create({ status: 'From masto.js', inReplyToId: thread.id }));
    for (let waits = 0; waits < 30 && !heard; waits += 1) await new Promise((done) => setTimeout(done, 100));
  }
  seen.heard = sent.some((one) => one.id === heard?.id);
  const context = await masto.v1.statuses.$select(thread.id).context.fetch();
  seen.replies = context.descendants.map((one) => one.content);
  seen.endorsed = (await masto.v1.statuses.$select(thread.id).favourite()).favouritesCount;
  const pages = [];
  for await (const page of masto.v1.notifications.list({ limit: 2 })) pages.push(page.length);
  seen.pages = pages.length;
  streaming.close();
  await listening;
}
console.log(JSON.stringify(seen));
