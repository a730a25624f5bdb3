# frozen_string_literal: true

require_relative "support/living"

class LiveLinkTest < ActiveSupport::TestCase
  include Living

  test "the first answer of a process makes the link, the others come as ever" do
    assert @bridge.linked?
    assert_equal 200, @client.subscribe("PlainChannel").status
    assert_equal({ "contract" => 1, "worker" => Cablestay::Live.worker, "linked" => true }, @bridge.ask("link").body)
  end

  test "without a web server that gives connections away there is no link" do
    answer = Bridge.new.ask("link", bridge: "another")
    assert_equal false, answer["linked"]
  end

  test "an answer does not wait until the one before it is acknowledged" do
    server = TCPServer.new("127.0.0.1", 0)
    ours = TCPSocket.new("127.0.0.1", server.local_address.ip_port)
    theirs = server.accept
    assert_equal(-1, LinkedBridge.new.ask_with(-> { theirs }, "link").status)
    assert theirs.getsockopt(:TCP, :NODELAY).bool
  ensure
    ours.close
    server.close
  end

  test "a hold that is to be attached and is gone is told to the bridge" do
    @bridge.send_line(attach: "gone")
    assert_equal({ "gone" => "gone" }, @bridge.receive)
  end

  test "an event for a hold that is gone has the client begin afresh" do
    answer = @bridge.ask_link("perform", hold: "gone", connection: "connection-1", connection_state: @client.state,
      identifier: identifier("PlainChannel"), data: "{}")
    assert_equal [ "transmit", "close" ], answer.kinds
  end

  test "an event whose thread the app kills is answered all the same" do
    attach(subscribe_live("ProcKeepingChannel"))
    answer = Timeout.timeout(10) { perform_live("die") }
    assert_equal [ 500, "the app has killed the thread of its event" ], [ answer.status, answer["error"] ]
  end

  test "what is alive nowhere comes along the link as well" do
    subscribed = @client.subscribe("RoomChannel", room: "attic")
    answer = @bridge.ask_link("perform", connection: "connection-1", handshake: Bridge.handshake, connection_state: @client.state,
      identifier: identifier("RoomChannel", room: "attic"), state: subscribed["state"], data: JSON.generate(action: "speak", text: "hi"))
    assert_equal [ { "room" => "attic", "text" => "hi", "spoken" => 1 } ], answer.messages
  end

  test "what could as well be a request does not wait for a thread, and what must come this way does" do
    subscribed = @client.subscribe("PlainChannel")
    attach(subscribe_live("ProcKeepingChannel"))
    go_on = Queue.new
    Cablestay::Live.jobs.size.times { Cablestay::Live.jobs.post { go_on.pop } }
    members = { connection: "connection-1", connection_state: @client.state, identifier: identifier("PlainChannel"), data: "{}" }

    refused = @bridge.ask_link("perform", handshake: Bridge.handshake, state: subscribed["state"], **members)
    assert_equal [ 503, "no thread is free" ], [ refused.status, refused["error"] ]

    waiting = Thread.new { perform_live("add", n: 1) }
    go_on.close
    assert_equal [ { "sum" => 2 } ], waiting.value.messages
  ensure
    go_on.close
  end

  test "a line that comes before the link is open waits for it" do
    ours, theirs = UNIXSocket.pair
    link = Cablestay::Live::Link.new("early", {}, nil)
    link.send_line(early: 1)
    link.start(theirs, {})
    lines = Array.new(6) { ours.gets }
    assert_match %r{\AHTTP/1.1 101 }, lines.first
    assert_equal({ "early" => 1 }, JSON.parse(lines.last))
  ensure
    ours.close
  end

  class PatientChannel < ApplicationCable::Channel
    class << self
      attr_accessor :begun, :go_on
    end

    def pass
    end

    def wait
      self.class.begun << true
      self.class.go_on.pop
    end
  end

  test "an answer does not wait for an event that takes its time, though both came at once" do
    PatientChannel.begun, PatientChannel.go_on = Queue.new, Queue.new
    channel = identifier("LiveLinkTest::PatientChannel")
    members = { contract: 1, connection: "connection-1", handshake: Bridge.handshake, identifier: channel,
      state: @client.subscribe("LiveLinkTest::PatientChannel")["state"], connection_state: @client.state }
    quick, slow = Array.new(2) { Bridge.next_id }
    @bridge.send_lines({ event: "perform", request: { **members, id: quick, data: JSON.generate(action: "pass") } },
      { event: "perform", request: { **members, id: slow, data: JSON.generate(action: "wait") } })
    PatientChannel.begun.pop

    Timeout.timeout(10) { @bridge.answer_to(quick).pop }
    PatientChannel.go_on << true
    assert Timeout.timeout(10) { @bridge.answer_to(slow).pop }
  ensure
    PatientChannel.go_on.close
  end

  class ForkingChannel < ApplicationCable::Channel
    def pass
    end

    def fork_away
      child = fork or exit
      Process.wait(child)
    end
  end

  test "a child that an event forks neither answers nor reads, though its exit is an exception" do
    channel = identifier("LiveLinkTest::ForkingChannel")
    members = { contract: 1, connection: "connection-1", handshake: Bridge.handshake, identifier: channel,
      state: @client.subscribe("LiveLinkTest::ForkingChannel")["state"], connection_state: @client.state }
    events = %w[ pass fork_away pass pass ].map do |action|
      { event: "perform", request: { **members, id: Bridge.next_id, data: JSON.generate(action: action) } }
    end
    @bridge.send_lines(*events)
    answers = events.map { |event| @bridge.answer_to(event[:request][:id]) }
    answers.each { |answer| assert Timeout.timeout(10) { answer.pop } }
    @bridge.ask_link("link")
    assert_equal [ 0 ] * 4, answers.map(&:size)
  end

  test "before the process ends, bridges are told, and what runs is answered" do
    subscribe_live("ProcKeepingChannel")
    begun, go_on = Queue.new, Queue.new
    Cablestay::Live.jobs.post { begun << true; go_on.pop }
    begun.pop
    draining = Thread.new { Cablestay::Live::Links.drain }

    assert_equal({ "ending" => true }, @bridge.receive)
    assert_nil draining.join(Cablestay::Live::Links::LEAVE * 2)
    go_on.close
    assert draining.join(10)
  ensure
    go_on.close
  end

  test "a connection that can't be given away leaves its event answered, and room for the next one's" do
    @bridge.close
    @bridge = LinkedBridge.new
    log = Log.of do
      assert_equal true, @bridge.ask_with(-> { raise "not this one" }, "link")["linked"]
    end
    assert_includes log, "a connection could not become a link: RuntimeError: not this one"
    assert_not @bridge.linked?

    assert_equal true, @bridge.ask("link")["linked"]
    assert @bridge.linked?
  end

  test "a bridge that does not read loses its link, before that takes much memory" do
    ours, theirs = UNIXSocket.pair
    link = Cablestay::Live::Link.new("deaf", {}, nil)
    link.start(theirs, {})
    lines = (1..200).find { !link.send_line(text: "x" * 1_000_000) }

    assert_includes 60..80, lines
    assert_equal false, link.send_line(text: "more")
  ensure
    ours.close
  end

  test "a connection that is held is ended by whoever comes first" do
    ended, go_on = Queue.new, Queue.new
    type = Class.new(ApplicationCable::Connection) do
      define_method(:connect) { super(); @lock = Mutex.new }
      define_method(:disconnect) { ended << true; go_on.pop }
    end
    with_connection(type) do
      attach(@client.opened)
      hold = Cablestay::Live::Holds.find(@client.opened["live"]["hold"])
      @bridge.send_line(event: "disconnect", request: { contract: 1, id: Bridge.next_id, hold: hold.id, connection: "connection-1",
        connection_state: @client.state, subscriptions: [] })
      ended.pop

      assert_nil Cablestay::Live::Holds.find(hold.id) # so that the end of the link finds nothing to end
    end
  ensure
    go_on.close
  end
end
