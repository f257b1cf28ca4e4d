// SPDX-License-Identifier: Apache-2.0
// What Fedify's libraries take from Node 22, for Node 20: a copy does where nothing looks back.
ArrayBuffer.prototype.transfer ??= function transfer(length = this.byteLength) {
  const moved = new ArrayBuffer(length);
  new Uint8Array(moved).set(new Uint8Array(this, 0, Math.min(length, this.byteLength)));
  return moved;
};
