'use strict';
// What the programs for Node.js share: one scenario is one thing that an application does, with a memory of what it was
// promised. It prints a line at its end, which the Go side judges.

const HUNG_MS = 20000; // longer than any hold is allowed to last

class Scenario {
  constructor(name) {
    Object.assign(this, {name, ops: 0, errors: {}, wrong: [], lost: 0, missed: 0, moved: 0, hung: 0, nulls: 0, skipped: '', stall: 0});
  }

  // ask waits for one answer. It gives {ok, value}, or {unknown} when the request may have been executed, or neither when
  // it surely was not.
  async ask(promise) {
    const began = Date.now();
    let timer;
    const hung = new Promise((resolve) => { timer = setTimeout(() => resolve({hung: true}), HUNG_MS); });
    const answer = promise.then((value) => ({ok: true, value}), (error) => this.failure(error));
    const got = await Promise.race([answer, hung]);
    clearTimeout(timer);
    this.stall = Math.max(this.stall, Date.now() - began);
    if (got.hung) this.hung++;
    if (got.ok) this.ops++;
    return got;
  }

  // failure counts an error by its first word. What is no reply of the server is no error but a broken promise.
  failure(error) {
    const text = String(error && error.message);
    const word = text.split(' ')[0];
    if (!/^[A-Z]+$/.test(word)) {
      this.object(`${error && error.name}: ${text}`);
      return {unknown: true};
    }
    this.errors[word] = (this.errors[word] || 0) + 1;
    return word === 'UNKNOWNRESULT' ? {unknown: true} : {};
  }

  object(text) {
    if (this.wrong.length < 20) this.wrong.push(text);
  }

  print() {
    const {name, ops, errors, wrong, lost, missed, moved, hung, nulls, skipped, stall} = this;
    const counts = {scenario: name, ops, errors, wrong, lost, missed, moved, hung, nulls, skipped, stall_ms: stall};
    console.log('SCENARIO ' + JSON.stringify(counts));
  }
}

// Counter knows between which bounds a number must be that only this program raises.
class Counter {
  constructor(scenario, name) {
    Object.assign(this, {scenario, name, low: 0, high: 0});
  }

  unknown() { this.high++; }

  // raised takes the reply to an increment by one.
  raised(value) { this.is(value, 1); }

  // is takes a reading.
  is(value, more = 0) {
    if (value > this.high + more) this.scenario.object(`${this.name} is ${value}, at most ${this.high + more} was asked for`);
    if (value < this.low + more) this.scenario.lost += this.low + more - value;
    this.low = this.high = value;
  }
}

// Ledger checks a list that only this program appends to: what was acknowledged is there once and in order, what was
// refused is not there.
class Ledger {
  constructor(scenario) {
    Object.assign(this, {scenario, fates: new Map()});
  }

  wrote(id, got) { this.fates.set(id, got.ok ? 'ok' : got.unknown ? 'unknown' : 'refused'); }

  check(found) {
    const seen = new Set();
    let before = -1;
    for (const text of found) {
      const id = Number(text);
      if (!this.fates.has(id)) this.scenario.object(`entry ${text} was never written`);
      else if (seen.has(id)) this.scenario.object(`entry ${id} is there twice`);
      else if (this.fates.get(id) === 'refused') this.scenario.object(`entry ${id} was refused and is there`);
      else if (id < before) this.scenario.object(`entry ${id} stands behind ${before}`);
      seen.add(id);
      before = id;
    }
    for (const [id, fate] of this.fates) if (fate === 'ok' && !seen.has(id)) this.scenario.lost++;
  }
}

// Register knows which rounds a value may come from that only this program overwrites.
class Register {
  constructor(scenario, name) {
    Object.assign(this, {scenario, name, fates: new Map(), newest: -1});
  }

  wrote(round, got) {
    this.newest = round;
    this.fates.set(round, got.ok ? 'ok' : got.unknown ? 'unknown' : 'refused');
    if (this.fates.size > 200) this.fates.delete(this.fates.keys().next().value);
  }

  // read takes a reading, as the round that wrote it; -1 is nothing yet. An older round than the last that was
  // acknowledged means that the later ones are lost.
  read(round) {
    if (round > this.newest) this.scenario.object(`${this.name} is of round ${round}, and there were ${this.newest}`);
    if (this.fates.get(round) === 'refused') this.scenario.object(`${this.name} is of round ${round}, which was refused`);
    for (const [r, fate] of this.fates) {
      if (r <= round) continue;
      if (fate === 'ok') this.scenario.lost++;
      this.fates.set(r, 'gone');
    }
  }
}

// Sequence checks the messages of one publisher: in order, none twice, none that was refused. What is missing is counted.
class Sequence {
  constructor(scenario) {
    Object.assign(this, {scenario, last: -1, refused: new Set()});
  }

  got(number) {
    if (number <= this.last) this.scenario.object(`message ${number} came after ${this.last}`);
    if (this.refused.has(number)) this.scenario.object(`message ${number} was refused and came`);
    for (let n = this.last + 1; n < number; n++) if (!this.refused.has(n)) this.scenario.missed++;
    this.last = Math.max(this.last, number);
    this.scenario.ops++;
  }
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// until asks again and again, for what arrives by itself.
async function until(limitMs, ready) {
  for (const end = Date.now() + limitMs; Date.now() < end && !ready();) await pause(20);
  return ready();
}

// play runs all scenarios side by side and prints each of them.
async function play(table, context) {
  const end = Date.now() + 1000 * Number(process.env.SECONDS);
  await Promise.all(Object.entries(table).map(async ([name, act]) => {
    const s = new Scenario(name);
    try {
      await act(s, () => Date.now() < end, context);
    } catch (error) {
      s.object(`threw ${error && error.stack}`);
    }
    s.print();
  }));
  process.exit(0);
}

process.on('unhandledRejection', (error) => {
  console.error('unhandled rejection', error);
});

module.exports = {Scenario, Counter, Ledger, Register, Sequence, pause, until, play};
