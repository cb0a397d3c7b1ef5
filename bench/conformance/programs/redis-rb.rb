# frozen_string_literal: true

# redis-rb: pipelines, transactions, publish and subscribe, blocking pops and scripts, each with a memory of what it was
# promised. A line is printed for each scenario; the Go side judges it.
require 'json'
require 'redis'

HUNG_SECONDS = 20 # longer than any hold is allowed to last
FINISH = Process.clock_gettime(Process::CLOCK_MONOTONIC) + Float(ENV['SECONDS'])
Thread.report_on_exception = false

def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)

def on? = now < FINISH

# pause is the pace of an application; nothing is waited for in it.
def pause(seconds) = IO.select(nil, nil, nil, seconds)

# Scenario is one thing that an application does.
class Scenario
  attr_accessor :lost, :missed, :nulls, :skipped

  def initialize(name)
    @name = name
    @ops = @lost = @missed = @moved = @hung = @nulls = @stall = 0
    @errors = Hash.new(0)
    @wrong = []
    @skipped = ''
  end

  # One connection; the library makes a new one by itself, which is off so that a broken one is seen.
  def connect(**more)
    Redis.new(host: ENV['REDIS_HOST'], port: Integer(ENV['REDIS_PORT']), timeout: HUNG_SECONDS, reconnect_attempts: 0, **more)
  end

  # ask gives [fate, value]: :ok, :unknown when it may have been executed, or :refused.
  def ask
    began = now
    value = yield
    @ops += 1
    [:ok, value]
  rescue Redis::TimeoutError
    @hung += 1
    [:unknown, nil]
  rescue Redis::BaseConnectionError => e
    @moved += 1
    object("connection: #{e.message}")
    [:unknown, nil]
  rescue Redis::CommandError => e
    [failure(e), nil]
  ensure
    @stall = [@stall, ((now - began) * 1000).to_i].max
  end

  def failure(error)
    word = error.message.split(' ').first.to_s
    unless word.match?(/\A[A-Z]+\z/)
      object("#{error.class}: #{error.message}")
      return :unknown
    end
    @errors[word] += 1
    word == 'UNKNOWNRESULT' ? :unknown : :refused
  end

  def object(text)
    @wrong << text if @wrong.size < 20
  end

  def did = @ops += 1

  def line
    "SCENARIO #{JSON.generate(scenario: @name, ops: @ops, errors: @errors, wrong: @wrong, lost: @lost, missed: @missed,
                              moved: @moved, hung: @hung, nulls: @nulls, skipped: @skipped, stall_ms: @stall)}"
  end
end

# Counter is a number that only this program raises.
class Counter
  def initialize(scenario, name)
    @scenario = scenario
    @name = name
    @low = @high = 0
  end

  def saw(fate, value, more = 1)
    @high += more if fate == :unknown
    return unless fate == :ok

    @scenario.object("#{@name} is #{value}, at most #{@high + more} was asked for") if value > @high + more
    @scenario.lost += @low + more - value if value < @low + more
    @low = @high = value
  end
end

def counter(s)
  c = s.connect
  n = Counter.new(s, 'counter')
  n.saw(*s.ask { c.incr('rb:counter') }) while on?
  n.saw(*s.ask { Integer(c.get('rb:counter')) }, 0)
end

def list(s)
  c = s.connect
  part = 0
  while on?
    key = "rb:list:#{part += 1}"
    fates = {}
    300.times { |i| fates[i] = s.ask { c.rpush(key, i) }.first if on? }
    fate, found = s.ask { c.lrange(key, 0, -1).map(&:to_i) }
    check_list(s, fates, found) if fate == :ok
    s.ask { c.del(key) }
  end
end

def check_list(s, fates, found)
  s.object("entries are out of order or there twice: #{found}") if found != found.sort.uniq
  found.each { |i| s.object("entry #{i} is there: #{fates[i] || 'never written'}") unless %i[ok unknown].include?(fates[i]) }
  s.lost += (fates.select { |_, fate| fate == :ok }.keys - found).size
end

def pipeline(s)
  c = s.connect
  n = Counter.new(s, 'pipelined counter')
  while on?
    # One error is raised for the whole pipeline, and the other replies are not to be had: each increment may have been made.
    fate, values = s.ask { c.pipelined { |p| 50.times { |i| p.incr('rb:pipe') && p.echo(i.to_s) } } }
    n.saw(:unknown, nil, 50) if fate != :ok
    (values || []).each_slice(2).with_index do |(raised, echo), i|
      n.saw(:ok, raised)
      s.object("ECHO #{i} answered #{echo}") if echo != i.to_s
    end
  end
end

def transaction(s)
  c = s.connect
  n = Counter.new(s, 'transaction')
  while on?
    fate, values = s.ask { c.multi { |t| t.incr('rb:tx:a'); t.incr('rb:tx:b'); t.get('rb:tx:a') } }
    if fate == :ok
      a, b, read = values
      s.object("transaction is torn: #{values}") if a != b || read != a.to_s
      n.saw(:ok, a)
    else
      n.saw(fate, nil)
    end
  end
end

def watch(s)
  c = s.connect
  n = Counter.new(s, 'watched counter')
  while on?
    next unless s.ask { c.watch('rb:watched') }.first == :ok

    fate, value = s.ask { c.get('rb:watched').to_i }
    if fate != :ok
      s.ask { c.unwatch }
      next
    end
    n.saw(:ok, value, 0)
    fate, done = s.ask { c.multi { |t| t.set('rb:watched', value + 1) } }
    if fate == :ok && done.nil?
      s.nulls += 1
    else
      n.saw(fate, value + 1)
    end
  end
end

def publish(s)
  from = s.connect
  to = s.connect(timeout: HUNG_SECONDS)
  last = -1
  refused = {}
  receiver = Thread.new do
    to.subscribe('rb:news') do |subscription|
      subscription.message do |_, text|
        number = text.to_i
        s.object("message #{number} came after #{last}") if number <= last
        s.object("message #{number} was refused and came") if refused[number]
        s.missed += ((last + 1)...number).count { |k| !refused[k] }
        last = [last, number].max
        s.did
      end
    end
  rescue Redis::BaseError => e
    s.object("subscriber: #{e.message}")
  end
  sent = 0
  # Messages begin when the subscription is known to stand.
  pause(0.01) until s.ask { from.pubsub(:numsub, 'rb:news')[1] }[1].to_i == 1
  while on?
    refused[sent] = true if s.ask { from.publish('rb:news', sent) }.first == :refused
    sent += 1
    pause(0.002)
  end
  late = now + 3
  pause(0.05) while now < late && last < sent - 1 && receiver.alive?
  receiver.kill.join
  s.missed += sent - 1 - last
end

def blocking(s)
  producer = s.connect
  consumer = s.connect
  fates = {}
  popped = {}
  done = false
  thread = Thread.new do
    idle = 0
    last = -1
    until done && idle >= 2
      fate, got = s.ask { consumer.blpop('rb:queue', timeout: 1) }
      next unless fate == :ok

      idle += 1
      next if got.nil?

      idle = 0
      i = got[1].to_i
      s.object("entry #{i} was refused and came") if fates[i] == :refused
      if popped[i]
        s.lost += 1 # it was popped before, and that was acknowledged
      elsif i < last
        s.object("entry #{i} came after #{last}")
      end
      popped[i] = true
      last = [last, i].max
    end
  end
  i = 0
  while on?
    fates[i] = :unknown
    fates[i] = s.ask { producer.rpush('rb:queue', i) }.first
    i += 1
    pause((i % 10).zero? ? 0.4 : 0.005 + 0.01 * (i % 7)) # one long wait in ten
  end
  done = true
  thread.join
  s.missed += fates.count { |k, fate| fate == :ok && !popped[k] }
end

SCRIPT = <<~LUA
  local n = redis.call('INCR', KEYS[1])
  redis.call('SET', KEYS[2], ARGV[1])
  return {n, ARGV[1], redis.call('GET', KEYS[2])}
LUA

def scripts(s)
  c = s.connect
  n = Counter.new(s, 'counter of the script')
  sha = nil
  i = 0
  while on?
    sha ||= s.ask { c.script(:load, SCRIPT) }[1]
    next if sha.nil?

    i += 1
    fate, got = s.ask { c.evalsha(sha, %w[rb:script:n rb:script:v], ["v#{i}"]) }
    if fate == :ok
      s.object("script answered #{got} to v#{i}") if got[1] != "v#{i}" || got[2] != got[1]
      n.saw(:ok, got[0])
    else
      n.saw(fate, nil)
      sha = nil if fate == :refused
    end
  end
end

def session(s)
  c = s.connect(db: 3, id: 'rb-session')
  other = s.connect
  n = Counter.new(s, 'counter in database 3')
  while on?
    n.saw(*s.ask { c.incr('rb:session') })
    fate, name = s.ask { c.call([:client, :getname]) }
    s.object("the connection is called #{name}") if fate == :ok && name != 'rb-session'
    pause(0.002)
  end
  s.object('a key of database 3 is in database 0') if s.ask { other.exists('rb:session') }[1] != 0
end

def caching(s)
  s.skipped = 'redis-rb 4.8 speaks RESP2 only and has no cache of its own'
end

%i[counter list pipeline transaction watch publish blocking scripts session caching].map do |name|
  Thread.new do
    s = Scenario.new(name.to_s)
    begin
      send(name, s)
    rescue StandardError => e
      s.object("threw #{e.class}: #{e.message} #{e.backtrace&.first}")
    end
    $stdout.write("#{s.line}\n") # one write, so that two threads cannot mix their lines
    $stdout.flush
  end
end.each(&:join)
