'use strict';
// node-redis in RESP3, with the cache on the client's side that the server must keep honest.
const {createClient, BasicClientSideCache} = require('@redis/client');
const {Counter, Ledger, Register, Sequence, pause, until, play} = require('./scenario.js');

async function connect(s, more) {
  const c = createClient({
    RESP: 3, socket: {host: process.env.REDIS_HOST, port: Number(process.env.REDIS_PORT), reconnectStrategy: () => 50}, ...more,
  });
  c.on('reconnecting', () => { s.moved++; });
  c.on('error', (error) => s.object(`connection: ${error.message}`));
  await c.connect();
  return c;
}

function end(...connections) {
  for (const c of connections) c.destroy();
}

async function counter(s, on) {
  const c = await connect(s), n = new Counter(s, 'counter');
  while (on()) {
    const got = await s.ask(c.incr('nr:counter'));
    if (got.ok) n.raised(got.value); else if (got.unknown) n.unknown();
  }
  n.is(Number((await s.ask(c.get('nr:counter'))).value));
  end(c);
}

async function list(s, on) {
  const c = await connect(s);
  for (let part = 0; on(); part++) {
    const key = `nr:list:${part}`, ledger = new Ledger(s);
    for (let id = 0; id < 500 && on(); id++) ledger.wrote(id, await s.ask(c.rPush(key, String(id))));
    const all = await s.ask(c.lRange(key, 0, -1));
    if (all.ok) ledger.check(all.value);
    await s.ask(c.del(key));
  }
  end(c);
}

// node-redis makes a pipeline of everything that is asked in the same tick.
async function pipeline(s, on) {
  const c = await connect(s), n = new Counter(s, 'pipelined counter');
  const registers = Array.from({length: 20}, (_, i) => new Register(s, `value ${i}`));
  for (let round = 0; on(); round++) {
    await Promise.all(registers.flatMap((register, i) => [
      s.ask(c.set(`nr:pipe:${i}`, String(round))).then((got) => register.wrote(round, got)),
      s.ask(c.get(`nr:pipe:${i}`)).then((got) => { if (got.ok) register.read(got.value === null ? -1 : Number(got.value)); }),
      s.ask(c.incr('nr:pipe:n')).then((got) => { if (got.ok) n.raised(got.value); else if (got.unknown) n.unknown(); }),
    ]));
  }
  end(c);
}

async function transaction(s, on) {
  const c = await connect(s), n = new Counter(s, 'transaction');
  while (on()) {
    const got = await s.ask(c.multi().incr('nr:tx:a').incr('nr:tx:b').get('nr:tx:a').exec());
    if (got.unknown) n.unknown();
    if (!got.ok) continue;
    const [a, b, read] = got.value;
    if (a !== b || read !== String(a)) s.object(`transaction is torn: ${a}, ${b}, ${read}`);
    n.raised(a);
  }
  end(c);
}

async function watch(s, on) {
  const c = await connect(s), n = new Counter(s, 'watched counter');
  while (on()) {
    if (!(await s.ask(c.watch('nr:watched'))).ok) continue;
    const read = await s.ask(c.get('nr:watched'));
    if (!read.ok) {
      await s.ask(c.unwatch());
      continue;
    }
    n.is(Number(read.value));
    // A change is an exception of its own here, and its name is all that tells it from a failure.
    const done = await s.ask(c.multi().set('nr:watched', String(Number(read.value) + 1)).exec()
      .catch((error) => { if (error.constructor.name === 'WatchError') return null; throw error; }));
    if (done.ok && done.value === null) s.nulls++;
    else if (done.ok) n.raised(Number(read.value) + 1);
    else if (done.unknown) n.unknown();
  }
  end(c);
}

// Subscriptions share their connection with ordinary commands, which RESP3 allows.
async function publish(s, on) {
  const from = await connect(s), to = await connect(s), n = new Counter(s, 'counter beside a subscription');
  const plain = new Sequence(s), byPattern = new Sequence(s);
  await to.subscribe('nr:news', (text) => plain.got(Number(text)));
  await to.pSubscribe('nr:pattern:*', (text) => byPattern.got(Number(text)));
  let sent = 0;
  for (; on(); sent++) {
    for (const [channel, sequence] of [['nr:news', plain], ['nr:pattern:x', byPattern]]) {
      const got = await s.ask(from.publish(channel, String(sent)));
      if (!got.ok && !got.unknown) sequence.refused.add(sent);
    }
    const got = await s.ask(to.incr('nr:beside'));
    if (got.ok) n.raised(got.value); else if (got.unknown) n.unknown();
    await pause(1);
  }
  await until(3000, () => plain.last === sent - 1 && byPattern.last === sent - 1);
  s.missed += sent - 1 - plain.last + (sent - 1 - byPattern.last);
  end(from, to);
}

async function blocking(s, on) {
  const producer = await connect(s), consumer = await connect(s), fates = new Map(), popped = new Set();
  let last = -1, running = true;
  const consume = async () => {
    for (let idle = 0; running || idle < 2;) {
      const got = await s.ask(consumer.blPop('nr:queue', 1));
      if (!got.ok) continue;
      if (got.value === null) {
        idle++;
        continue;
      }
      idle = 0;
      const id = Number(got.value.element);
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
    const got = await s.ask(producer.rPush('nr:queue', String(id)));
    fates.set(id, got.ok ? 'ok' : got.unknown ? 'unknown' : 'refused');
    await pause(id % 10 === 9 ? 400 : 5 + (id % 7) * 10); // one long wait in ten: a failover finds it blocked for good
  }
  running = false;
  await consumed;
  for (const [id, fate] of fates) if (fate === 'ok' && !popped.has(id)) s.missed++;
  end(producer, consumer);
}

async function scripts(s, on) {
  const c = await connect(s), n = new Counter(s, 'counter of the script');
  const source = `local n = redis.call('INCR', KEYS[1])
redis.call('SET', KEYS[2], ARGV[1])
return {n, ARGV[1], redis.call('GET', KEYS[2])}`;
  let sha = '';
  for (let i = 0; on(); i++) {
    if (sha === '') {
      const loaded = await s.ask(c.scriptLoad(source));
      if (!loaded.ok) continue;
      sha = loaded.value;
    }
    const got = await s.ask(c.evalSha(sha, {keys: ['nr:script:n', 'nr:script:v'], arguments: [`v${i}`]}));
    if (got.unknown) n.unknown();
    if (!got.ok) {
      if (s.errors.NOSCRIPT) sha = '';
      continue;
    }
    const [count, echo, read] = got.value;
    if (echo !== `v${i}` || read !== echo) s.object(`script answered ${echo}, ${read} to v${i}`);
    n.raised(count);
  }
  end(c);
}

async function session(s, on) {
  const c = await connect(s, {database: 3, name: 'nr-session'}), other = await connect(s);
  const register = new Register(s, 'value in database 3');
  for (let round = 0; on(); round++) {
    const name = await s.ask(c.clientGetName());
    if (name.ok && name.value !== 'nr-session') s.object(`the connection is called ${name.value}`);
    register.wrote(round, await s.ask(c.set('nr:session', String(round))));
    const get = await s.ask(c.get('nr:session'));
    if (get.ok) register.read(get.value === null ? -1 : Number(get.value));
    await pause(2);
  }
  const stray = await s.ask(other.exists('nr:session'));
  if (stray.value !== 0) s.object('a key of database 3 is in database 0');
  end(c, other);
}

// The cache of node-redis 5.12 keeps a reply for ever that is read together with the news to forget everything behind it: it
// empties itself first and puts the reply into it then, beside a bare server, too. This one remembers when that was so.
class WatchedCache extends BasicClientSideCache {
  constructor(options) {
    super(options);
    Object.assign(this, {emptied: false, kept: new Map()});
    this.on('cached-key', (entry) => this.kept.set(entry, this.emptied));
  }

  invalidate(key) {
    if (key === null) {
      this.emptied = true;
      setImmediate(() => { this.emptied = false; });
    }
    return super.invalidate(key);
  }

  whence(key) {
    const [, inTurn] = [...this.kept].find(([entry]) => entry.endsWith(`_${key}`)) || [];
    return inTurn ? 'kept in the turn in which the cache was emptied' : 'kept in a turn of its own';
  }
}

// busy lets everything that arrives wait, as any long computation does.
function busy(ms) {
  for (const end = performance.now() + ms; performance.now() < end;);
}

// One client writes, the other reads through its cache. Once a write is acknowledged the cache may be behind for as long
// as the invalidation travels, and no longer: a flush that is missing after a failover leaves it behind for ever.
async function caching(s, on) {
  const cache = new WatchedCache({ttl: 0, maxEntries: 0});
  const reader = await connect(s, {clientSideCache: cache}), writer = await connect(s);
  for (let round = 0; on(); round++) {
    const key = `nr:cached:${round % 10}`;
    const set = await s.ask(writer.set(key, String(round)));
    if (!set.ok) continue;
    let seen = null;
    const read = async () => {
      const asked = s.ask(reader.get(key));
      if (round % 20 === 0) {
        await new Promise((resolve) => { setImmediate(resolve); }); // it is sent now, and not answered
        busy(50); // now and then a reply and what comes behind it are found together
      }
      const got = await asked;
      seen = got.ok ? Number(got.value) : null;
      return seen === round;
    };
    const deadline = Date.now() + 2000;
    while (!(await read()) && Date.now() < deadline) await pause(5);
    if (seen !== round) {
      const fresh = await s.ask(writer.get(key));
      if (fresh.ok && Number(fresh.value) === seen) s.lost++; // the cache is right, and the write is gone
      else s.object(`the cache says ${seen} for 2 s, the server ${fresh.value}, written was ${round}; ${cache.whence(key)}`);
    }
    if (round % 50 === 49) await pause(1500); // failovers find a full cache that nobody asks
  }
  if (cache.stats().hitCount === 0) s.object('the cache was never used');
  end(reader, writer);
}

play({counter, list, pipeline, transaction, watch, publish, blocking, scripts, session, caching});
