# frozen_string_literal: true

require "json"
require "rack/mock"

# Speaks the contract to the app as the bridge does.
class Bridge
  Answer = Struct.new(:status, :body) do
    def [](member)
      body[member]
    end

    def effects
      body.fetch("effects")
    end

    # Frames as the client would parse them.
    def frames
      effects.select { |effect| effect["frame"] }.map { |effect| JSON.parse(effect["frame"]) }
    end

    def messages
      frames.filter_map { |frame| frame["message"] }
    end

    def kinds
      effects.map { |effect| effect["effect"] }
    end
  end

  HEADERS = [ [ "Host", "example.test" ], [ "Origin", "http://example.test" ], [ "Connection", "Upgrade" ],
    [ "Upgrade", "websocket" ], [ "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==" ],
    [ "Sec-WebSocket-Version", "13" ] ].freeze

  def self.handshake(query = "user=ann", path: "/cable", headers: [], **others)
    { method: "GET", scheme: "http", path: path, query: query, remote_addr: "192.0.2.7", headers: HEADERS + headers }.merge(others)
  end

  def self.proof(event, body, id, secret: Cablestay::Secret.shared, **claims)
    now = Time.now.to_i
    JWT.encode({ iss: "cablestay", aud: "cablestay-rails", iat: now, exp: now + 60, jti: id, event: event,
      digest: Digest::SHA256.hexdigest(body) }.merge(claims).compact, secret, "HS256")
  end

  @ids = 0
  class << self
    def next_id
      "test-#{@ids += 1}"
    end
  end

  def initialize(app = Rails.application)
    @app = app
  end

  def ask(event, id: Bridge.next_id, **members)
    body = JSON.generate({ contract: 1, id: id, **members })
    post(event, body, Bridge.proof(event, body, id))
  end

  def post(event, body, token, **env)
    response = Rack::MockRequest.new(@app).post("/_cablestay/#{event}", input: body,
      "HTTP_AUTHORIZATION" => "Bearer #{token}", **env.transform_keys(&:to_s))
    Answer.new(response.status, JSON.parse(response.body))
  end

  # Connects; the answer is in the client's hands.
  def connect(handshake = Bridge.handshake, connection: "connection-1", protocol: nil)
    ask("connect", connection: connection, handshake: handshake, protocol: protocol)
  end

  # A connection that keeps its states, as the bridge does.
  def client(handshake = Bridge.handshake, connection: "connection-1")
    Client.new(self, handshake, connection)
  end

  class Client
    attr_reader :opened, :states, :last_event
    attr_accessor :state

    def initialize(bridge, handshake, connection)
      @bridge, @handshake, @connection = bridge, handshake, connection
      @opened = bridge.connect(handshake, connection: connection)
      @state = @opened["connection_state"]
      @states = {}
    end

    def identifier(channel, **params)
      JSON.generate({ channel: channel.to_s, **params })
    end

    def subscribe(channel, **params)
      command("subscribe", identifier(channel, **params))
    end

    def perform(channel, action, params = {}, **data)
      command("perform", identifier(channel, **params), data: JSON.generate({ action: action, **data }))
    end

    def unsubscribe(channel, **params)
      command("unsubscribe", identifier(channel, **params))
    end

    def tick(channel, timer:, every:, **params)
      command("timer", identifier(channel, **params), timer: timer, every: every)
    end

    def disconnect(**members)
      subscriptions = @states.map { |identifier, state| { identifier: identifier, state: state } }
      @bridge.ask("disconnect", **event, subscriptions: subscriptions, **members)
    end

    def command(event_name, identifier, **members)
      members = { state: @states[identifier], **members } unless event_name == "subscribe"
      @last_event = Bridge.next_id
      answer = @bridge.ask(event_name, id: @last_event, **event, identifier: identifier, **members)
      @state = answer["connection_state"] || @state
      answer["subscribed"] ? @states[identifier] = answer["state"] || @states[identifier] : @states.delete(identifier)
      answer
    end

    private
      def event
        { connection: @connection, handshake: @handshake, connection_state: @state }
      end
  end
end
