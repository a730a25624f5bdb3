# frozen_string_literal: true

require "fiddle"

# Of a queue instead of a link: what is in it is done by who reads it.
class LiveReadingTest < ActiveSupport::TestCase
  setup do
    @before = Thread.list
    read_from Queue.new
  end

  teardown { end_reading }

  test "one thread reads and runs events that take no time" do
    ran_by = Array.new(20) { ask { Thread.current } }
    assert_operator ran_by.uniq.size, :<, 10 # another one reads where this machine makes one wait
  end

  test "what comes while an event takes its time is read by another" do
    slow, go_on = begin_slow
    refute_same slow, ask { Thread.current }
  ensure
    go_on << true
  end

  test "as many events run at a time as are slow" do
    slow = Array.new(5) { begin_slow }
    assert_equal 5, slow.map(&:first).uniq.size
  ensure
    slow.each { |_, go_on| go_on << true }
  end

  test "readers that were relieved read again" do
    3.times do
      _, go_on = begin_slow
      ask { }
      go_on << true
    end
    assert_operator readers.size, :<=, 4
    ask { }
  end

  test "a reader whose thread the app kills is replaced" do
    killed = Queue.new
    @lines << -> { @reading.busy { killed << Thread.current; Thread.current.kill } }
    refute_same killed.pop, ask { Thread.current }
  end

  test "one whose event raises reads on, alone" do
    raised = Queue.new
    @lines << lambda do
      @reading.busy { raise "not this one" }
    rescue RuntimeError
      raised << Thread.current
    end
    reader = raised.pop
    Array.new(10) { ask { Thread.current } }

    assert reader.alive?
    assert_equal 1, readers.count { |thread| thread.backtrace.to_a.any? { |line| line.include?("live_reading_test.rb") } }
  end

  test "so is one that is killed when its event is long over" do
    reader = ask { Thread.current }
    reader.kill
    assert reader.join(10)
    refute_same reader, ask { Thread.current }
  end

  test "whoever reads goes on, and not who was relieved" do
    assert_equal [ true, false ], [ ask { @reading.goes_on? }, Thread.new { @reading.goes_on? }.value ]

    before, go_on, after = Queue.new, Queue.new, Queue.new
    @lines << -> { @reading.busy { before << @reading.goes_on?; go_on.pop; after << @reading.goes_on? } }
    assert before.pop
    ask { }
    go_on << true
    assert_not after.pop
  end

  test "nobody is said to go on after an event that has kept Ruby for itself" do
    ask do
      cpu = -> { Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID) }
      since = cpu.call
      nil until cpu.call - since > 2 * Cablestay::Live::Reading::HEAVY
    end
    assert_not ask { @reading.goes_on? }
  end

  test "nor after one that has slept with it" do
    asleep = Fiddle::Function.new(Fiddle.dlopen(nil)["usleep"], [ Fiddle::TYPE_INT ], Fiddle::TYPE_INT, need_gvl: true)
    ask { asleep.call(50_000) }
    assert_equal [ false ], Array.new(20) { ask { @reading.goes_on? } }.uniq
  end

  test "whoever reads goes on after one that has slept without it" do
    ask { sleep 0.05 }
    assert_includes Array.new(20) { ask { @reading.goes_on? } }, true
  end

  test "what is left to be done is done while an event takes its time, and when the reading ends" do
    settled = Queue.new
    end_reading
    read_from Queue.new, settle: -> { settled << Thread.current }
    slow, go_on = begin_slow
    assert_not_equal slow, Timeout.timeout(10) { settled.pop }
    go_on << true
    reader = ask { Thread.current }
    settled.clear
    end_reading
    assert_includes Array.new(settled.size) { settled.pop }, reader
  end

  test "what the last event has left is done before who watches rests, also where what comes next takes its time" do
    left, settled = false, Queue.new
    end_reading
    read_from Queue.new, settle: -> { settled << true if left }
    30.times do
      go_on = Queue.new
      ask { }
      Thread.pass until @reading.instance_variable_get(:@resting)
      @lines << -> { @reading.busy { sleep rand * Cablestay::Live::Reading::GLANCE; left = true } }
      @lines << -> { go_on.pop }
      assert Timeout.timeout(10) { settled.pop }
    ensure
      left = false
      settled.clear
      go_on << true
    end
  end

  # Another thread kills the first reader in the very moment in which it has taken its turn, and knows nothing of that yet.
  class Deadly < Queue
    def pop
      turn = super
      kill_from_elsewhere(Thread.current) if turn == 1
      turn
    end

    private
      def kill_from_elsewhere(thread)
        killer = Thread.new { thread.kill }
        Thread.pass while killer.alive?
      end
  end

  test "so is one that is killed in the moment in which it takes its turn" do
    end_reading
    read_from Queue.new, turns: Deadly.new

    assert ask { true }
  end

  private
    def read_from(lines, turns: nil, **options)
      @lines = lines
      @reading = Cablestay::Live::Reading.new(**options) do
        line = lines.pop
        line&.call
        !line.nil?
      end
      @reading.instance_variable_set(:@turns, turns) if turns
      @reading.start
    end

    def end_reading
      @lines.close
      @reading.end
      readers.each { |thread| assert thread.join(10) }
    end

    # Runs it as an event.
    def ask(&event)
      answer = Queue.new
      @lines << -> { @reading.busy { answer << event.call } }
      Timeout.timeout(10) { answer.pop }
    end

    def begin_slow
      begun, go_on = Queue.new, Queue.new
      @lines << -> { @reading.busy { begun << Thread.current; go_on.pop } }
      [ Timeout.timeout(10) { begun.pop }, go_on ]
    end

    def readers
      Thread.list.select { |thread| thread.name == "cablestay link reader" && thread.alive? } - @before.to_a
    end
end
