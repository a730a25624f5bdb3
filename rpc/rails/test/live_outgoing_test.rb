# frozen_string_literal: true

# With a socket in the place of a bridge's.
class LiveOutgoingTest < ActiveSupport::TestCase
  # Takes what it is given, but of the first write that does not wait only a half; what is to happen in that moment is meanwhile.
  class Half
    attr_reader :writes
    attr_writer :meanwhile

    def initialize
      @writes = []
    end

    def write(text)
      @writes << text
    end

    def write_nonblock(text, **)
      meanwhile, @meanwhile = @meanwhile, nil
      taken = meanwhile ? text.bytesize / 2 : text.bytesize
      @writes << text.byteslice(0, taken)
      meanwhile&.call
      taken
    end
  end

  setup do
    @why = Queue.new
    @outgoing = Cablestay::Live::Outgoing.new { |why| @why << why; @outgoing.end }
    @io = Half.new
  end

  teardown { @outgoing.end }

  test "a line goes at once" do
    @outgoing.start(@io)
    assert @outgoing.put("a\n")
    assert_equal [ "a\n" ], @io.writes
    assert_predicate @outgoing, :written?
  end

  test "lines that may wait go with the next one, in their order" do
    @outgoing.start(@io)
    @outgoing.put("a\n", may_wait: true)
    @outgoing.put("b\n", may_wait: true)
    assert_empty @io.writes
    assert_not_predicate @outgoing, :written?

    @outgoing.put("c\n")
    assert_equal [ "a\nb\nc\n" ], @io.writes
    assert_predicate @outgoing, :written?
  end

  test "they go when they are told to" do
    @outgoing.start(@io)
    @outgoing.put("a\n", may_wait: true)
    2.times { @outgoing.flush }
    assert_equal [ "a\n" ], @io.writes
  end

  test "what comes before the start waits for it" do
    @outgoing.put("a\n", may_wait: true)
    @outgoing.put("b\n")
    @outgoing.start(@io)
    await { @outgoing.written? }
    assert_equal [ "a\nb\n" ], @io.writes
  end

  test "a line of which the socket takes a part stays whole" do
    other = nil
    @io.meanwhile = lambda do
      other = Thread.new { @outgoing.put("second line\n") }
      Thread.pass until other.stop?
    end
    @outgoing.start(@io)
    @outgoing.put("first line\n")
    other.join
    await { @outgoing.written? }

    assert_equal "first line\nsecond line\n", @io.writes.join
  end

  test "a line that may wait and does not go any more is no line that breaks it" do
    @outgoing.start(@io)
    @outgoing.put("a\n", may_wait: true)
    @outgoing.end
    @outgoing.flush
    assert_equal false, @outgoing.put("b\n")
    assert_predicate @outgoing, :written?
    assert_empty @io.writes
    assert_empty @why
  end

  test "a socket that is broken ends it, also where it is a line that has waited" do
    ours, theirs = UNIXSocket.pair
    @outgoing.start(theirs)
    ours.close
    assert @outgoing.put("a\n", may_wait: true)
    @outgoing.flush
    assert_kind_of SystemCallError, @why.pop
    assert_equal false, @outgoing.put("b\n")
  ensure
    theirs.close
  end

  private
    def await
      Timeout.timeout(10) { Thread.pass until yield }
    end
end
