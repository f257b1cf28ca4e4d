// SPDX-License-Identifier: Apache-2.0
// What scripts add to pages that work without them: drafts kept while typing, previews,
// endorsing in place, the next unread reply, replies as they come, and pages that wait.
"use strict";

const heard = document.getElementById("heard");
const tell = (words) => { heard.textContent = words; };
const send = (form, path, fields) => {
  const body = new FormData();
  body.set("csrf", form.elements.csrf.value);
  for (const [name, value] of Object.entries(fields)) body.set(name, value);
  return fetch(path, { method: "POST", body });
};
const FIELDS = ["title", "source", "tags", "poll_options", "poll_lasting", "poll_multiple", "poll_hidden"];
const entered = (field) => (field?.type === "checkbox" && !field.checked ? "" : field?.value ?? "");
const typed = (form) => Object.fromEntries(FIELDS.map((name) => [name, entered(form.elements[name])]));

// Keeps what is typed, two seconds after the last key and when the page is left.
for (const form of document.querySelectorAll("form[data-draft]")) {
  const state = form.querySelector("[data-draft-state]");
  let saved = JSON.stringify(typed(form));
  let timer = 0;
  let leaving = false;
  const save = async () => {
    const fields = typed(form);
    const now = JSON.stringify(fields);
    if (leaving || now === saved) return;
    try {
      const answer = await send(form, "/drafts", { place: form.dataset.draft, ...fields });
      if (!answer.ok) throw new Error();
      saved = now;
      state.textContent = "Draft saved";
    } catch {
      state.textContent = "The draft could not be saved; it is kept on this page only";
    }
  };
  form.addEventListener("input", () => {
    leaving = false; // Whoever types is still here: sending was stopped, or failed.
    state.textContent = "";
    clearTimeout(timer);
    timer = setTimeout(save, 2000);
  });
  // The server drops the draft once it has posted the text; until then nothing here does.
  form.addEventListener("submit", () => { leaving = true; clearTimeout(timer); });
  window.addEventListener("pageshow", () => { leaving = false; });
  window.addEventListener("pagehide", () => {
    const fields = typed(form);
    if (leaving || JSON.stringify(fields) === saved) return;
    const body = new URLSearchParams({ csrf: form.elements.csrf.value, place: form.dataset.draft, ...fields });
    navigator.sendBeacon("/drafts", body);
  });
}

// The form of a practice keeps all of its fields the same way, at its own address. Each answer
// tells what the fields hold from then on; where somebody else changed one, saving asks what to do.
for (const form of document.querySelectorAll("form[data-autosave]")) {
  const state = form.querySelector("[data-draft-state]");
  const path = form.getAttribute("action"); // Its buttons are called "action" as well.
  const values = () => {
    const body = new FormData(form);
    body.delete("base");
    return JSON.stringify([...body.entries()]);
  };
  let saved = values();
  let timer = 0;
  let leaving = false;
  let saving = false;
  const save = async () => {
    const now = values();
    if (leaving || now === saved) return;
    if (saving) {
      timer = setTimeout(save, 1000);
      return;
    }
    saving = true;
    const body = new FormData(form);
    body.set("action", "autosave");
    try {
      const answer = await fetch(path, { method: "POST", body });
      const said = await answer.json();
      if (answer.ok) {
        form.elements.base.value = JSON.stringify(said.base);
        saved = now;
        state.textContent = "Draft saved";
      } else if (said.by) state.textContent = `${said.by} changed this meanwhile: save to see both`;
      else throw new Error();
    } catch {
      state.textContent = "The draft could not be saved; it is kept on this page only";
    }
    saving = false;
  };
  form.addEventListener("input", () => {
    leaving = false;
    state.textContent = "";
    clearTimeout(timer);
    timer = setTimeout(save, 2000);
  });
  form.addEventListener("submit", () => { leaving = true; clearTimeout(timer); });
  window.addEventListener("pageshow", () => { leaving = false; });
  window.addEventListener("pagehide", () => {
    if (leaving || values() === saved) return;
    const body = new FormData(form);
    body.set("action", "autosave");
    navigator.sendBeacon(path, body);
  });
}

const printing = document.querySelector("[data-print]");
if (printing) {
  printing.hidden = false;
  printing.addEventListener("click", () => window.print());
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-preview]");
  if (!button) return;
  event.preventDefault();
  const form = button.form;
  const shown = form.querySelector(".preview");
  try {
    const answer = await send(form, "/preview", { source: form.elements.source.value });
    shown.querySelector(".body").innerHTML = await answer.text();
  } catch {
    shown.querySelector(".body").textContent = "The preview cannot be fetched at the moment.";
  }
  shown.hidden = false;
  shown.scrollIntoView({ block: "nearest" });
});

// Endorses without leaving the place: the answer is the whole page, of which one row is taken.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!/\/(endorse|withdraw)$/.test(form.action)) return;
  event.preventDefault();
  const article = form.closest("article");
  try {
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form) });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const forms = [...page.querySelectorAll(`#${article.id} .actions form`)];
    const fresh = forms.find((one) => /\/(endorse|withdraw)$/.test(one.getAttribute("action")));
    if (!answer.ok || !fresh) throw new Error();
    form.replaceWith(fresh);
    fresh.querySelector("button").focus();
    tell(page.querySelector(".said")?.textContent ?? "");
  } catch {
    form.submit();
  }
});

// One menu open at a time; Escape and a click elsewhere close it.
const menus = "details.menu[open], details.more[open]";
const close = (except) => {
  for (const menu of document.querySelectorAll(menus)) if (menu !== except) menu.open = false;
};
document.addEventListener("click", (event) => close(event.target.closest("details.menu, details.more")));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.activeElement?.closest?.(menus);
  close(null);
  menu?.querySelector("summary").focus();
});

// The next unread reply below what is in sight, and from the first again after the last. A page
// that is scrolled to its end cannot bring a reply to the top, so the last one jumped to counts too.
const next = document.querySelector("[data-next-unread]");
let jumped = null;
next?.addEventListener("click", (event) => {
  const unread = [...document.querySelectorAll(".post.unread")];
  const top = (post) => post.getBoundingClientRect().top;
  const from = jumped && top(jumped) >= 0 && top(jumped) < innerHeight ? unread.indexOf(jumped) + 1 : 0;
  const target = unread.slice(from).find((post) => top(post) > 40) ?? unread[0];
  if (!target) return;
  event.preventDefault();
  jumped = target;
  for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  location.hash = target.id;
  target.tabIndex = -1;
  target.focus({ preventScroll: true });
});

const fold = document.querySelector("[data-fold]");
if (fold) {
  fold.hidden = false;
  fold.addEventListener("click", () => {
    const folded = fold.getAttribute("aria-pressed") !== "true";
    for (const branch of document.querySelectorAll("details.branch")) branch.open = !folded;
    fold.setAttribute("aria-pressed", folded);
  });
}

// A page that waits for another agency looks again by itself.
const look = async () => {
  const place = document.querySelector("[data-live][data-again]");
  if (!place) return;
  try {
    const answer = await fetch(location.href);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-live]");
    if (fresh && !place.contains(document.activeElement)) place.replaceWith(fresh);
  } catch { /* The next round may do better. */ }
  if (!document.hidden) setTimeout(look, 3000);
};
if (document.querySelector("[data-live][data-again]")) setTimeout(look, 3000);

// Tells of replies that came while a thread was open, and shows them when asked to. Nothing moves
// before, and what is being typed is not touched: only branches that changed are replaced.
const replies = document.querySelector("[data-events]");
if (replies && window.EventSource) {
  const news = document.getElementById("news");
  let shown = Number(replies.dataset.replies);
  let known = shown;
  let source = null;
  const ids = (place) => [...place.querySelectorAll("article")].map((post) => `${post.id} ${post.dataset.state}`);
  const notice = (event) => {
    const said = JSON.parse(event.data);
    known = said.replies;
    const missing = said.newest && !document.getElementById(`p-${said.newest}`);
    const count = Math.max(known - shown, missing ? 1 : 0);
    news.replaceChildren();
    if (!missing || count < 1) return;
    const link = document.createElement("a");
    link.className = "btn main";
    link.href = `/p/${said.newest}`;
    link.textContent = count === 1 ? "1 new reply: show it" : `${count} new replies: show them`;
    news.append(link);
  };
  const listen = () => {
    if (document.hidden) {
      source?.close();
      source = null;
    } else if (!source || source.readyState === EventSource.CLOSED) {
      source = new EventSource(`${replies.dataset.events}?replies=${known}`);
      source.addEventListener("changed", notice);
    }
  };
  const merge = (fresh) => {
    const list = replies.querySelector(".replies");
    const branches = fresh.querySelector(".replies");
    replies.querySelector("h2").replaceWith(fresh.querySelector("h2"));
    if (!branches) return;
    if (!list) {
      replies.querySelector(".hint")?.replaceWith(branches);
      return;
    }
    const held = new Map([...list.children].map((branch) => [branch.querySelector("article").id, branch]));
    for (const branch of [...branches.children]) {
      const old = held.get(branch.querySelector("article").id);
      if (!old) list.append(branch);
      else if (ids(old).join() !== ids(branch).join()) {
        const fold = branch.querySelector("details.branch");
        if (fold) fold.open = old.querySelector("details.branch")?.open ?? true;
        old.replaceWith(branch);
      }
    }
  };
  news.addEventListener("click", async (event) => {
    const link = event.target.closest("a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    try {
      const answer = await fetch(location.href);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("[data-events]");
      if (!answer.ok || !fresh) throw new Error();
      const before = new Set([...replies.querySelectorAll("article")].map((post) => post.id));
      shown = Number(fresh.dataset.replies);
      merge(fresh);
      const first = [...replies.querySelectorAll("article")].find((post) => !before.has(post.id));
      if (!first) throw new Error(); // It stands on another page of this thread.
      news.replaceChildren();
      for (let fold = first.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
      first.tabIndex = -1;
      first.focus();
    } catch {
      location.assign(link.href);
    }
  });
  document.addEventListener("visibilitychange", listen);
  listen();
}

// What scrolls sideways can be reached with a keyboard.
for (const wide of document.querySelectorAll(".scroll, .body table")) {
  if (wide.scrollWidth > wide.clientWidth) wide.tabIndex = 0;
}
document.getElementById("faults")?.focus();

// Files chosen for a resource are sent at once, one after the other, in pieces (tus 1.0.0) and with
// how far each has come. When the line breaks it goes on where it stopped; what has come of a file
// stays in the draft, and the same file chosen again goes on from there.
for (const form of document.querySelectorAll("form[data-upload]")) {
  const piece = 4 * 1024 * 1024;
  const tries = 8;
  const input = form.elements.upload;
  const state = form.querySelector("[data-upload-state]");
  const bar = form.querySelector("progress");
  const most = Number(form.dataset.upload);
  const begun = new Map();
  const say = (words) => { state.textContent = words; };
  const mb = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
  const pause = (seconds) => new Promise((done) => { setTimeout(done, seconds * 1000); });
  // Answers the request once it is over; its status is 0 where the line broke.
  const ask = (method, path, headers, body = null, sent = () => {}) => new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.upload.addEventListener("progress", (event) => sent(event.loaded));
    request.addEventListener("loadend", () => resolve(request));
    request.open(method, path);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.send(body);
  });
  const token = () => ({ "Tus-Resumable": "1.0.0", "X-CSRF-Token": form.elements.csrf.value });
  const coded = (words) => btoa(String.fromCharCode(...new TextEncoder().encode(words)));
  const passes = (status) => status === 0 || status === 409 || status === 429 || status >= 500;
  const show = (html) => {
    const fresh = new DOMParser().parseFromString(html, "text/html");
    const files = fresh.querySelector("[data-files]");
    if (files) form.querySelector("[data-files]").replaceWith(files);
    return files && (fresh.querySelector("#f-upload-fault")?.lastChild?.textContent ?? "");
  };
  const announce = async (file, mark) => {
    const held = begun.get(mark)
      ?? [...form.querySelectorAll("[data-mark]")].find((one) => one.dataset.mark === mark)?.dataset.arrival;
    if (held) {
      const found = await ask("HEAD", `/resources/arrivals/${held}`, token());
      if (found.status === 200) return [held, Number(found.getResponseHeader("Upload-Offset"))];
      if (found.status === 0) throw new Error("There is no line at the moment: choose the file again later.");
    }
    const answer = await ask("POST", form.dataset.arrivals, {
      ...token(), "Upload-Length": String(file.size),
      "Upload-Metadata": `filename ${coded(file.name)},mark ${coded(mark)}`,
    });
    if (answer.status !== 201) throw new Error(answer.responseText || "There is no line at the moment: choose the file again later.");
    const number = answer.getResponseHeader("Location").split("/").pop();
    begun.set(mark, number);
    return [number, 0];
  };
  const sendFile = async (file) => {
    const mark = `${file.name}|${file.size}|${file.lastModified}`;
    let [number, come] = await announce(file, mark);
    const path = `/resources/arrivals/${number}`;
    let failed = 0;
    while (come < file.size) {
      say(`Sending ${file.name}…`);
      const headers = { ...token(), "Upload-Offset": String(come), "Content-Type": "application/offset+octet-stream" };
      const answer = await ask("PATCH", path, headers, file.slice(come, come + piece), (loaded) => {
        bar.value = (come + loaded) / file.size;
      });
      if (answer.status === 204) {
        come = Number(answer.getResponseHeader("Upload-Offset"));
        failed = 0;
        continue;
      }
      if (!passes(answer.status)) throw new Error(answer.responseText || "It was not taken.");
      failed += 1;
      if (failed > tries) throw new Error(`The line broke after ${mb(come)} of ${mb(file.size)}, which are kept: choose the file again, and it goes on.`);
      say(`The line broke after ${mb(come)} of ${mb(file.size)}: trying again…`);
      await pause(Number(answer.getResponseHeader("Retry-After")) || Math.min(30, 2 ** (failed - 1)));
      const found = await ask("HEAD", path, token());
      if (found.status === 200) come = Number(found.getResponseHeader("Upload-Offset"));
      else if (!passes(found.status)) throw new Error("What had come of it is gone: choose the file again.");
    }
    bar.value = 1;
    const body = new FormData(form);
    body.delete("upload");
    body.set("action", `arrived:${number}`);
    const answer = await ask("POST", form.getAttribute("action"), {}, body);
    const fault = show(answer.responseText);
    if (fault === null) throw new Error("All of it has come: load this page again, and press Add it.");
    begun.delete(mark);
    if (answer.status !== 200) throw new Error(fault || "It was not taken.");
  };
  input.addEventListener("change", async () => {
    const chosen = [...input.files];
    input.value = "";
    for (const file of chosen) {
      if (/^publiccode\.ya?ml$/i.test(file.name) && file.size < 120_000) {
        form.elements.publiccode.value = await file.text();
        form.requestSubmit(form.querySelector("button[value=fill]"));
        return;
      }
      if (file.size > most) {
        say(`${file.name} is over ${Math.floor(most / 1e6)} MB, the most that is taken.`);
        return;
      }
      bar.hidden = false;
      bar.value = 0;
      try {
        await sendFile(file);
      } catch (error) {
        bar.hidden = true;
        say(error.message);
        return;
      }
    }
    bar.hidden = true;
    say(chosen.length === 1 ? "Added." : `${chosen.length} files added.`);
  });
}
