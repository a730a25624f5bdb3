# frozen_string_literal: true

module Cablestay
  module Rpc
    # A handshake: through the app's whole middleware and routes to where it mounts Action Cable, then connect.
    class Connect
      include Live::Holdable

      attr_reader :surroundings, :cable, :kept, :raw_env

      def initialize(request, env, app)
        @connection_id = request.string("connection")
        @protocol = request.optional_string("protocol")
        @env = request.handshake.env(env)
        @road = Live::Road.of(request, env)
        @app = app
      end

      def answer
        http = on_a_thread_for_requests { through_middleware }
        http ? { contract: CONTRACT, http: http } : @event.run { open }
      ensure
        @surroundings.outside.begin_sending if @surroundings && @surroundings.hold.nil?
      end

      private
        # Channels must not see what middleware leaves in its thread, nor middleware what they leave.
        def on_a_thread_for_requests(&block)
          EventThreads.here? ? Cablestay.request_threads.run(&block) : yield
        end

        # What the client is to get instead of a socket; nil where Action Cable has taken that.
        def through_middleware
          http = HttpAnswer.new(app_response, @env)
          return http.to_h unless taken_over?

          http.discard
          nil
        end

        def app_response
          @app.call(@env.merge!(Endpoint::TAKEOVER => method(:take_over)))
        rescue StandardError, ScriptError => error # what the web server would answer
          Cablestay.log_exception("the app's middleware raised for a handshake", error)
          [ 500, { "content-type" => "text/plain" }, [ "Internal Server Error\n" ] ]
        end

        # Where ActionCable.server is reached. As there, connect itself waits until the middleware has returned.
        def take_over(cable_server, env)
          return not_carried unless cable_server.equal?(CableServer.of(@app))

          env.delete(Endpoint::TAKEOVER) # in place: what middleware made holds this very Hash
          @surroundings = Surroundings.new(cable_server, road: @road, env: env, protocol: @protocol)
          @event = Event.new(@surroundings)
          @raw_env = env
          @cable = RailsVersions.cable.open(@surroundings.server, env, @surroundings.socket)
          @cable.process
        end

        # Later events could not tell whose connection class to revive.
        def not_carried
          Cablestay.logger.error("refused a handshake: its path mounts a server other than ActionCable.server, " \
            "which is not yet carried by cablestay")
          [ 501, { "content-type" => "text/plain" }, [ "Not Implemented\n" ] ]
        end

        def taken_over?
          @surroundings&.socket&.taken?
        end

        def open
          connection = @cable.connection
          socket = @surroundings.socket.open
          raised = false
          @event.work(connection) do
            raised = @event.logging_exceptions(connection.logger, @cable.receiver) { @cable.handle_open }
            close_mute if raised
          end
          outcome(socket.alive? && !raised)
        end

        def outcome(accepted)
          @kept = Kept.new(@connection_id, @cable)
          verdict = Live::Verdict.new(self, @event, nil)
          leave(verdict) if accepted && verdict.travels?
          { contract: CONTRACT, accepted: accepted, connection_identifier: connection_identifier,
            connection_state: verdict.connection_state, effects: @event.finish,
            live: (live(nil, verdict) if accepted), **ends(verdict, nil) }.compact
        end

        # For the first subscribe, which finds all of this as it would be revived.
        def leave(verdict)
          AtHand.current.put(@connection_id, nil, AtHand::Left.new(verdict.connection_state, nil, @surroundings, @cable, @kept, @raw_env))
        end

        # Stock leaves a client whose connect raised with an open socket that never says a word, until it
        # gives up by itself. It is told to come again instead.
        def close_mute
          @cable.connection.close(reason: nil, reconnect: true)
        rescue Exception # the app's own transmit or close may be what raised
          @surroundings.socket.close
        end

        # As registered with the internal channel: Rails has asked for it by then, at the time when stock does.
        def connection_identifier
          return "" unless @event.streams.internal

          Utf8.bytes(@cable.connection.connection_identifier, "the connection identifier")
        rescue EncodingError => error
          Cablestay.logger.error("this connection can't be disconnected remotely: #{error.message}")
          ""
        end
    end
  end
end
