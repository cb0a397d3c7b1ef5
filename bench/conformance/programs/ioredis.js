'use strict';
// ioredis resends by itself what was in flight when a connection breaks. That is on here, as it is by default: each
// connection that breaks makes duplicates, and none must break.
const Redis = require('ioredis');
const {Counter, Ledger, Register, Sequence, pause, until, play} = require('./scenario.js');

function connect(s, more) {
  const c = new Redis({
    host: process.env.REDIS_HOST, port: Number(process.env.REDIS_PORT),
    autoResendUnfulfilledCommands: true, maxRetriesPerRequest: null, retryStrategy: () => 50, ...more,
  });
  c.on('close', () => { if (!c.ending) s.moved++; });
  c.on('error', (error) => s.object(`connection: ${error.message}`));
  return c;
}

function end(...connections) {
  for (const c of connections) {
    c.ending = true;
    c.disconnect();
  }
}

async function counter(s, on) {
  const c = connect(s), n = new Counter(s, 'counter');
  while (on()) {
    const got = await s.ask(c.incr('io:counter'));
    if (got.ok) n.raised(got.value); else if (got.unknown) n.unknown();
  }
  n.is(Number((await s.ask(c.get('io:counter'))).value));
  end(c);
}

// Many increments are in flight at any moment: what a library that resends would make twice.
async function inFlight(s, on) {
  const c = connect(s), n = new Counter(s, 'counter in flight');
  const one = async () => {
    const got = await s.ask(c.incr('io:flight'));
    if (got.ok) n.raised(got.value); else if (got.unknown) n.unknown();
  };
  const window = [];
  while (on()) {
    window.push(one());
    if (window.length >= 32) await window.shift();
  }
  await Promise.all(window);
  n.is(Number((await s.ask(c.get('io:flight'))).value));
  end(c);
}

async function list(s, on) {
  const c = connect(s);
  for (let part = 0; on(); part++) {
    const key = `io:list:${part}`, ledger = new Ledger(s);
    for (let id = 0; id < 500 && on(); id++) ledger.wrote(id, await s.ask(c.rpush(key, id)));
    const all = await s.ask(c.lrange(key, 0, -1));
    if (all.ok) ledger.check(all.value);
    await s.ask(c.del(key));
  }
  end(c);
}

async function pipeline(s, on) {
  const c = connect(s), n = new Counter(s, 'pipelined counter');
  const registers = Array.from({length: 20}, (_, i) => new Register(s, `value ${i}`));
  for (let round = 0; on(); round++) {
    const p = c.pipeline();
    registers.forEach((_, i) => p.set(`io:pipe:${i}`, `${round}:${i}`).get(`io:pipe:${i}`).incr('io:pipe:n'));
    const all = await s.ask(p.exec());
    if (!all.ok) continue;
    if (all.value.length !== 60) s.object(`${all.value.length} replies to 60 commands`);
    registers.forEach((register, i) => {
      const [set, get, raised] = all.value.slice(3 * i, 3 * i + 3).map(([error, value]) => (error ? s.failure(error) : {ok: true, value}));
      register.wrote(round, set);
      if (get.ok) register.read(parsed(s, get.value, i));
      if (raised.ok) n.raised(raised.value); else if (raised.unknown) n.unknown();
    });
  }
  end(c);
}

// parsed is the round of a value that must belong to the register i.
function parsed(s, text, i) {
  if (text === null) return -1;
  const [round, index] = text.split(':').map(Number);
  if (index !== i) s.object(`the value of register ${i} is ${text}`);
  return round;
}

async function transaction(s, on) {
  const c = connect(s), n = new Counter(s, 'transaction');
  while (on()) {
    const got = await s.ask(c.multi().incr('io:tx:a').incr('io:tx:b').get('io:tx:a').exec());
    if (got.unknown) n.unknown();
    if (!got.ok) continue;
    if (got.value === null) {
      s.object('a transaction without WATCH was told of a change');
      continue;
    }
    const [a, b, read] = got.value.map(([error, value]) => (error ? s.object(`inside EXEC: ${error.message}`) : value));
    if (a !== b || read !== String(a)) s.object(`transaction is torn: ${a}, ${b}, ${read}`);
    n.raised(a);
  }
  end(c);
}

async function watch(s, on) {
  const c = connect(s), n = new Counter(s, 'watched counter');
  while (on()) {
    if (!(await s.ask(c.watch('io:watched'))).ok) continue;
    const read = await s.ask(c.get('io:watched'));
    if (!read.ok) {
      await s.ask(c.unwatch());
      continue;
    }
    n.is(Number(read.value));
    const done = await s.ask(c.multi().set('io:watched', Number(read.value) + 1).exec());
    if (done.ok && done.value === null) s.nulls++;
    else if (done.ok) n.raised(Number(read.value) + 1);
    else if (done.unknown) n.unknown();
  }
  end(c);
}

async function publish(s, on) {
  const from = connect(s), to = connect(s);
  const plain = new Sequence(s), byPattern = new Sequence(s);
  to.on('message', (_, text) => plain.got(Number(text)));
  to.on('pmessage', (_, __, text) => byPattern.got(Number(text)));
  await s.ask(to.subscribe('io:news'));
  await s.ask(to.psubscribe('io:pattern:*'));
  let sent = 0;
  for (; on(); sent++) {
    for (const [channel, sequence] of [['io:news', plain], ['io:pattern:x', byPattern]]) {
      const got = await s.ask(from.publish(channel, sent));
      if (!got.ok && !got.unknown) sequence.refused.add(sent);
    }
    await pause(1);
  }
  await until(3000, () => plain.last === sent - 1 && byPattern.last === sent - 1);
  s.missed += sent - 1 - plain.last + (sent - 1 - byPattern.last);
  end(from, to);
}

// The consumer waits most of the time: failovers find it blocked.
async function blocking(s, on) {
  const producer = connect(s), consumer = connect(s), fates = new Map();
  let last = -1, running = true;
  const popped = new Set();
  const consume = async () => {
    for (let idle = 0; running || idle < 2;) {
      const got = await s.ask(consumer.blpop('io:queue', 1));
      if (!got.ok) continue;
      if (got.value === null) {
        idle++;
        continue;
      }
      idle = 0;
      const id = Number(got.value[1]);
      if (fates.get(id) === 'refused') s.object(`entry ${id} was refused and came`);
      if (popped.has(id)) s.lost++; // it was popped before, and that was acknowledged
      else if (id < last) s.object(`entry ${id} came after ${last}`);
      popped.add(id);
      last = Math.max(last, id);
    }
  };
  const consumed = consume();
  for (let id = 0; on(); id++) {
    fates.set(id, 'unknown');
    const got = await s.ask(producer.rpush('io:queue', id));
    fates.set(id, got.ok ? 'ok' : got.unknown ? 'unknown' : 'refused');
    await pause(id % 10 === 9 ? 400 : 5 + (id % 7) * 10); // one long wait in ten: a failover finds it blocked for good
  }
  running = false;
  await consumed;
  for (const [id, fate] of fates) if (fate === 'ok' && !popped.has(id)) s.missed++;
  end(producer, consumer);
}

async function scripts(s, on) {
  const c = connect(s), n = new Counter(s, 'counter of the script');
  c.defineCommand('both', {numberOfKeys: 2, lua: `local n = redis.call('INCR', KEYS[1])
redis.call('SET', KEYS[2], ARGV[1])
return {n, ARGV[1], redis.call('GET', KEYS[2])}`});
  for (let i = 0; on(); i++) {
    const got = await s.ask(c.both('io:script:n', 'io:script:v', `v${i}`));
    if (got.unknown) n.unknown();
    if (!got.ok) continue;
    const [count, echo, read] = got.value;
    if (echo !== `v${i}` || read !== echo) s.object(`script answered ${echo}, ${read} to v${i}`);
    n.raised(count);
  }
  end(c);
}

async function session(s, on) {
  const c = connect(s, {db: 3, connectionName: 'io-session'}), other = connect(s), register = new Register(s, 'value in database 3');
  for (let round = 0; on(); round++) {
    const name = await s.ask(c.client('GETNAME'));
    if (name.ok && name.value !== 'io-session') s.object(`the connection is called ${name.value}`);
    register.wrote(round, await s.ask(c.set('io:session', round)));
    const get = await s.ask(c.get('io:session'));
    if (get.ok) register.read(get.value === null ? -1 : Number(get.value));
    await pause(2);
  }
  const stray = await s.ask(other.exists('io:session'));
  if (stray.value !== 0) s.object('a key of database 3 is in database 0');
  end(c, other);
}

// Values up to 50,000 bytes are full of what looks like the protocol.
async function values(s, on) {
  const c = connect(s), register = new Register(s, 'large value');
  const make = (round) => Buffer.alloc(12 + (round * 7919) % 50000, `${String(round).padStart(8, '0')}\r\n$3\r\n`);
  for (let round = 0; on(); round++) {
    register.wrote(round, await s.ask(c.set('io:value', make(round))));
    const get = await s.ask(c.getBuffer('io:value'));
    if (get.ok && get.value !== null) {
      const from = Number(get.value.subarray(0, 8));
      if (get.value.equals(make(from))) register.read(from);
      else s.object(`${get.value.length} bytes came back that nobody wrote`);
    }
    await pause(2);
  }
  end(c);
}

async function caching(s) { s.skipped = 'ioredis 5 speaks RESP2 only and has no cache of its own'; }

play({counter, inFlight, list, pipeline, transaction, watch, publish, blocking, scripts, session, values, caching});
