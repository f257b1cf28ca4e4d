// SPDX-License-Identifier: Apache-2.0
// Names below localhost lead to this machine, as they do in browsers.
import dns from 'node:dns';

const lookup = dns.lookup;

dns.lookup = (host, options, answer) => {
  if (!host.endsWith('.localhost')) return lookup(host, options, answer);
  const done = answer ?? options;
  const all = typeof options === 'object' && options.all;
  process.nextTick(() => (all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)));
};
