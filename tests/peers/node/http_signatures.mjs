// SPDX-License-Identifier: Apache-2.0
// Signs and verifies with activitypub-http-signatures: JSON asks on standard input, answers back.
import { readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import parser, { Sha256Signer } from 'activitypub-http-signatures';

// The library signs a Digest header and leaves making and checking it to its user.
const digest = (body) => `SHA-256=${createHash('sha256').update(body).digest('base64')}`;

const deeds = {
  sign_draft({ method, url, body, key, key_id }) {
    const bytes = Buffer.from(body, 'base64');
    const signer = new Sha256Signer({ publicKeyId: key_id, privateKey: key });
    const headers = { 'content-type': 'application/activity+json' };
    if (bytes.length) headers.digest = digest(bytes);
    return { headers: signer.generateHeaders({ method, url, headers }) };
  },

  verify_draft({ method, url, headers, body, key }) {
    const bytes = Buffer.from(body, 'base64');
    if (bytes.length && headers.digest !== digest(bytes)) return { valid: false };
    const { pathname, search } = new URL(url);
    const signature = parser.parse({ method, url: `${pathname}${search}`, headers });
    return { valid: signature !== null && signature.verify(key) };
  },
};

const asks = JSON.parse(readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify(asks.map((ask) => deeds[ask.do](ask))));
