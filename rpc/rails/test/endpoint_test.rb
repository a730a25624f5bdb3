# frozen_string_literal: true

class EndpointTest < ActiveSupport::TestCase
  test "requests that are not the bridge's go to the app" do
    assert_equal "dummy", Rack::MockRequest.new(Rails.application).get("/").body
    assert_equal 404, Rack::MockRequest.new(Rails.application).get("/_cablestay").status
  end

  test "it is in front of all other middleware" do
    assert_equal Cablestay::Endpoint, Rails.application.middleware.first.klass
  end

  test "an event that is not in the contract is not found" do
    answer = Bridge.new.ask("batch")

    assert_equal 404, answer.status
    assert_equal({ "contract" => 1, "error" => 'no event "batch"' }, answer.body)
  end

  test "only POST is answered" do
    response = Rack::MockRequest.new(Rails.application).get("/_cablestay/hello")

    assert_equal 405, response.status
    assert_equal "POST", response["allow"]
  end

  test "another version of the contract is a conflict that names both" do
    answer = post({ contract: 2, id: "a" })

    assert_equal 409, answer.status
    assert_equal 1, answer["contract"]
    assert_match(/version 1 of the contract, the request version 2/, answer["error"])
  end

  { "not JSON" => "{", "not an object" => "[1]", "not UTF-8" => "{\"contract\":1,\"id\":\"\xff\"}" }.each do |name, body|
    test "a body that is #{name} is refused" do
      answer = Bridge.new.post("hello", body, Bridge.proof("hello", body, "a"))

      assert_equal 400, answer.status
      assert_match(/the body is (not|a list)/, answer["error"])
    end
  end

  { {} => "contract is missing, not an integer", { contract: "1" } => "contract is a string, not an integer",
    { contract: 1 } => "id is missing, not a string", { contract: 1, id: 5 } => "id is integer, not a string" }.each do |members, message|
    test "a body of #{members} is refused: #{message}" do
      answer = post(members)

      assert_equal 400, answer.status
      assert_equal message, answer["error"]
    end
  end

  test "a member that is missing is named" do
    assert_names "connection is missing", "connect"
    assert_names "handshake is not an object", "connect", connection: "c"
    assert_names "handshake.path is not a string", "connect", connection: "c", handshake: Bridge.handshake.except(:path)
    assert_names "handshake.path does not begin with /", "connect", connection: "c", handshake: Bridge.handshake(path: "x")
    assert_names "handshake.headers is not a list of pairs", "connect", connection: "c",
      handshake: Bridge.handshake.merge(headers: [ [ "Host" ] ])
    assert_names "protocol is integer", "connect", connection: "c", handshake: Bridge.handshake, protocol: 1
    assert_names "connection_state is missing", "subscribe", connection: "c", identifier: "{}", handshake: Bridge.handshake
    assert_names "state is missing", "perform", connection: "c", identifier: "{}", handshake: Bridge.handshake, connection_state: "x"
    assert_names "subscriptions is missing", "disconnect", connection: "c", handshake: Bridge.handshake, connection_state: "x"
    assert_names "subscriptions has one without", "disconnect", connection: "c", handshake: Bridge.handshake,
      connection_state: "x", subscriptions: [ { identifier: "{}" } ]
  end

  test "members that it does not know are ignored" do
    assert_equal 200, Bridge.new.ask("hello", later: true).status
  end

  test "a body over the limit is refused" do
    with_limit(40) do
      answer = Bridge.new.ask("hello", filling: "x" * 40)
      assert_equal 400, answer.status
      assert_equal "the body is larger than 40 bytes", answer["error"]
    end
  end

  test "a fault of the gem itself is an error of its own, logged whole" do
    answer = nil
    log = Log.of do
      Cablestay::Mounts.stub(:of, ->(*) { raise "a fault with a secret" }) { answer = Bridge.new.ask("hello") }
    end

    assert_equal 500, answer.status
    assert_equal "RuntimeError: see the app's log", answer["error"]
    assert_includes log, "[Cablestay] hello failed: RuntimeError: a fault with a secret"
  end

  private
    def post(members)
      body = JSON.generate(members)
      Bridge.new.post("hello", body, Bridge.proof("hello", body, members[:id].to_s))
    end

    def assert_names(message, event, **members)
      answer = Bridge.new.ask(event, **members)
      assert_equal 400, answer.status, answer.body.inspect
      assert_includes answer["error"], message
    end

    def with_limit(bytes)
      before = Cablestay::Endpoint::BODY_LIMIT
      replace(bytes)
      yield
    ensure
      replace(before)
    end

    def replace(bytes)
      Cablestay::Endpoint.send(:remove_const, :BODY_LIMIT)
      Cablestay::Endpoint.const_set(:BODY_LIMIT, bytes)
    end
end
