# frozen_string_literal: true

class LiveIncomingTest < ActiveSupport::TestCase
  setup do
    @ours, theirs = UNIXSocket.pair
    @theirs = theirs
    @incoming = Cablestay::Live::Incoming.new(theirs)
  end

  teardown { [ @ours, @theirs ].each(&:close) }

  test "lines that come together are there one after the other" do
    @ours.write("a\nb\nc")
    assert_not_predicate @incoming, :any?
    assert_equal "a\n", @incoming.next
    assert_predicate @incoming, :any?
    assert_equal "b\n", @incoming.next
    assert_not_predicate @incoming, :any? # the third has no end yet

    @ours.write("\n")
    assert_equal "c\n", @incoming.next
  end

  test "a line that is read in parts is whole, and UTF-8" do
    long = "žluťoučký 🚂" * Cablestay::Live::Incoming::CHUNK
    writing = Thread.new { @ours.write(long, "\n", "next\n") }
    assert_equal "#{long}\n", @incoming.next
    assert_equal "next\n", @incoming.next
    writing.join
  end

  test "at the end there is none, nor is what has begun one" do
    @ours.write("a\nb")
    @ours.close
    assert_equal "a\n", @incoming.next
    assert_nil @incoming.next
    assert_nil @incoming.next
  end

  test "a thread that is killed takes nothing with it" do
    200.times do |n|
      waiting = Thread.new { @incoming.next }
      Thread.pass until waiting.stop?
      @ours.write("a")
      waiting.kill.join
      @ours.write("b\n")
      assert_equal "ab\n", @incoming.next, "the #{n + 1}th time"
    end
  end

  test "a thread that is killed just when something comes takes nothing with it, either" do
    lines = Queue.new
    all = (1..2_000).map { |number| "#{number}\n" }
    all.each do |line|
      reading = Thread.new { Thread.handle_interrupt(Object => :never) { lines << @incoming.next } }
      Thread.pass until reading.stop?
      @ours.write(line)
      reading.kill.join
    end
    @ours.close
    while (line = @incoming.next)
      lines << line
    end
    assert_equal all, Array.new(lines.size) { lines.pop }
  end

  test "a line without an end is no reason to keep all of it" do
    writing = Thread.new do
      chunk = "x" * (1 << 20)
      loop { @ours.write(chunk) }
    rescue SystemCallError, IOError
      nil
    end
    error = assert_raises(Cablestay::Live::Incoming::TooLong) { @incoming.next }
    assert_equal "a line is longer than 67108864 bytes", error.message
  ensure
    @theirs.close
    writing.join
  end
end
