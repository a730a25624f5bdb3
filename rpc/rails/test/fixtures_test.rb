# frozen_string_literal: true

require_relative "support/linked_bridge"

# The contract's examples, which the bridge's tests read too. Run against the dummy app.
class FixturesTest < ActiveSupport::TestCase
  EVENTS = { "connect_accepted" => "connect", "connect_refused" => "connect", "connect_rejected" => "connect",
    "subscribe_confirmed" => "subscribe", "subscribe_rejected" => "subscribe", "perform" => "perform",
    "unsubscribe" => "unsubscribe", "disconnect" => "disconnect", "disconnect_partial" => "disconnect",
    "merge" => "merge", "subscribe_timer" => "subscribe", "timer" => "timer", "link" => "link" }.freeze
  UNHEARD = { "connect_unheard" => "connect", "subscribe_unheard" => "subscribe" }.freeze

  test "every fixture is run here or has a test of its own" do
    names = Dir[File.join(FIXTURES, "*.json")].map { |file| File.basename(file, ".json") }
    assert_equal names.sort, (EVENTS.keys + UNHEARD.keys + %w[ hello proof subscribe_live ]).sort
  end

  (EVENTS.keys - [ "connect_refused" ]).each do |name|
    test "#{name} is answered as the contract shows" do
      fixture = read(name)
      answer = ask(EVENTS.fetch(name), fixture["request"])

      assert_equal 200, answer.status
      assert_equal fixture["answer"], with_tokens(answer.body, fixture["answer"])
    end
  end

  UNHEARD.each do |name, event|
    test "#{name} is answered as the contract shows, by an app that logs less" do
      fixture = read(name)
      answer = Log.at(:warn) { ask(event, fixture["request"]) }

      assert_equal fixture["answer"], with_tokens(answer.body, fixture["answer"])
    end
  end

  test "subscribe_live is answered as the contract shows, to a bridge that takes a link" do
    fixture, bridge = read("subscribe_live"), LinkedBridge.new
    answer = bridge.ask("subscribe", **with_states(fixture["request"]).symbolize_keys.except(:contract, :bridge)).body

    want = fixture["answer"].merge("live" => fixture["answer"]["live"].slice("connection", "why"))
    live = answer["live"]
    assert_equal want, with_tokens(answer, want).merge("live" => live.slice("connection", "why"))
    assert_operator live["worker"], :present?
    assert_operator live["hold"], :present?
  ensure
    bridge&.close
  end

  # Header names and the type's charset are the Rails version's; more headers are the app's middleware's.
  test "connect_refused is answered with the app's own HTTP answer" do
    fixture = read("connect_refused")
    got, want = ask("connect", fixture["request"])["http"], fixture["answer"]["http"]

    assert_equal want.slice("status", "body"), got.slice("status", "body")
    headers = got["headers"].to_h { |header, value| [ header.downcase, value.delete_suffix("; charset=utf-8") ] }
    want["headers"].each { |header, value| assert_equal value, headers[header.downcase] }
  end

  test "hello is answered as the contract shows, with this app's values" do
    fixture = read("hello")
    got, want = ask("hello", fixture["request"]).body, fixture["answer"]

    assert_equal want.keys, got.keys
    assert_equal want.slice("contract", "gem", "environment", "adapter", "channel_prefix"),
      got.slice("contract", "gem", "environment", "adapter", "channel_prefix")
    assert_equal Rails.version, got["rails"]
    assert_equal RUBY_VERSION, got["ruby"]
    assert_equal({ "url" => ENV["REDIS_URL"] }, got["redis"])
    assert_equal "/cable", got["mounts"].first["path"]
  end

  test "the proof of the contract is valid at its time, and for 90 seconds" do
    fixture = read("proof")
    check = lambda do |now|
      proof = Cablestay::Proof.new("Bearer #{fixture["token"]}", secret: fixture["secret"], now: now)
      proof.check_event(fixture["event"])
      proof.check_body(fixture["body"])
      proof.check_id(fixture["claims"]["jti"])
    end

    check.(fixture["now"])
    check.(fixture["now"] + 89)
    assert_raises(Cablestay::Unproven) { check.(fixture["now"] + 90) }
  end

  private
    def read(name)
      JSON.parse(File.read(File.join(FIXTURES, "#{name}.json")))
    end

    def ask(event, request)
      Bridge.new.ask(event, **with_states(request).symbolize_keys.except(:contract))
    end

    # A real token in each place where the fixture shows one.
    def with_states(request)
      states = %w[ connection_state before kept changed ] & request.keys
      return request if states.empty?

      client = Bridge.new.client(request["handshake"], connection: request["connection"])
      request = request.merge(states.to_h { |member| [ member, client.state ] })
      request["subscriptions"] = request["subscriptions"].map { |one| one.merge("state" => state(client, one["identifier"])) } if request["subscriptions"]
      request["state"] = state(client, request["identifier"]) if request["state"]
      # The id of a fixture is not unique, as a bridge's are.
      request.merge("id" => Bridge.next_id)
    end

    def state(client, identifier)
      client.command("subscribe", identifier)
      client.states.fetch(identifier)
    end

    def with_tokens(answer, want)
      answer.to_h { |member, value| want[member] == "<token>" && value.is_a?(String) && !value.empty? ? [ member, "<token>" ] : [ member, value ] }
    end
end
