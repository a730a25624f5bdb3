# frozen_string_literal: true

require "json"

module Cablestay
  # Rack middleware in front of everything else: answers the bridge's events, passes the rest straight on.
  # Handshakes are sent to +cable_app+, the app as its web server calls it: past here, down the whole stack.
  class Endpoint
    PREFIX = "/_cablestay/"
    BODY_LIMIT = 64 * 1024 * 1024 # bytes; Action Cable's own limit of a message is just below

    # In the env of a handshake: what takes it over where it reaches Action Cable.
    TAKEOVER = "cablestay.takeover"

    EVENTS = {
      "hello" => Rpc::Hello, "connect" => Rpc::Connect, "subscribe" => Rpc::Subscribe,
      "unsubscribe" => Rpc::Unsubscribe, "perform" => Rpc::Perform, "timer" => Rpc::Timer,
      "disconnect" => Rpc::Disconnect, "link" => Rpc::Link, "merge" => Rpc::Merge
    }.freeze

    # The answer where the connection has become a link.
    GIVEN_AWAY = [ -1, {}, [] ].freeze

    def self.answers?(env)
      env["PATH_INFO"].to_s.start_with?(PREFIX) && !env.key?(TAKEOVER)
    end

    def initialize(app, cable_app = app)
      @app, @cable_app = app, cable_app
    end

    def call(env)
      Endpoint.answers?(env) ? answer(env["PATH_INFO"].delete_prefix(PREFIX), env) : @app.call(env)
    end

    private
      def answer(event, env)
        return failure(404, "no event #{event.inspect}") unless EVENTS.key?(event)
        return failure(405, "#{env["REQUEST_METHOD"]} is not POST", "allow" => "POST") unless env["REQUEST_METHOD"] == "POST"

        request = proven_request(event, env)
        status, body = Dispatch.run(event, request, env, @cable_app)
        return GIVEN_AWAY if status == 200 && Live::Links.open(request.bridge, env, @cable_app, body)

        json(status, body)
      rescue Unproven => error
        Cablestay.logger.warn("refused #{event} from #{env["REMOTE_ADDR"]}: #{error.message}")
        failure(401, error.message)
      rescue BadRequest => error
        Cablestay.logger.error("can't read #{event}: #{error.message}")
        failure(400, error.message)
      rescue OtherContract => error
        Cablestay.logger.error("can't answer #{event}: #{error.message}")
        failure(409, error.message)
      end

      # The token before the body: what nobody signed is not even read.
      def proven_request(event, env)
        proof = Proof.new(env["HTTP_AUTHORIZATION"])
        proof.check_event(event)
        body = read(env)
        proof.check_body(body)
        Request.new(body).tap { |request| proof.check_id(request.id) }
      end

      def read(env)
        body = env["rack.input"]&.read(BODY_LIMIT + 1).to_s
        raise BadRequest, "the body is larger than #{BODY_LIMIT} bytes" if body.bytesize > BODY_LIMIT

        body
      end

      def failure(status, message, headers = {})
        json(status, Dispatch.failure(message), headers)
      end

      def json(status, object, headers = {})
        body = JSON.generate(object)
        [ status, { "content-type" => "application/json", "content-length" => body.bytesize.to_s }.merge(headers), [ body ] ]
      end
  end
end
