# frozen_string_literal: true

module Cablestay
  module Rpc
    # A command of the client, run by Rails' own Subscriptions on a revived connection.
    class Command
      RECONNECT = JSON.generate({ type: "disconnect", reason: nil, reconnect: true }).freeze

      def initialize(request, env, app)
        @connection_id = request.string("connection")
        @identifier = request.string("identifier")
        @connection_state = request.string("connection_state")
        read(request)
        @middleware_env = MiddlewareEnv.new(request.handshake.env(env), app)
        @event = Event.new(CableServer.of(app))
      end

      def answer
        @event.run do
          revive
          @event.work(@cable.connection) do
            @event.logging_exceptions(@cable.connection.logger, @cable.receiver) { execute }
          end
          outcome
        rescue UnreadableState => error
          start_afresh(error)
        end
      end

      private
        # Members that only some commands have.
        def read(request)
        end

        def revive
          @cable = RailsVersions.cable.revive(@event.server, @middleware_env, @event.socket.open)
          @kept = Kept.new(@connection_id, @cable)
          @kept.restore_connection(@connection_state)
        end

        def execute
          @cable.execute(command)
        end

        def outcome
          channel = @cable.table[@identifier]
          { contract: CONTRACT, subscribed: !channel.nil?,
            connection_state: @kept.connection_token,
            state: channel && @kept.channel_token(channel, @event.streams),
            effects: @event.effects }.compact
        end

        # Never half-restored: the client comes again.
        def start_afresh(error)
          Cablestay.logger.error("can't restore #{@identifier}: #{error.message}; the client is told to reconnect")
          { contract: CONTRACT, subscribed: false,
            effects: [ { effect: "transmit", frame: RECONNECT }, { effect: "close" } ] }
        end
    end

    class Subscribe < Command
      private
        def command
          { "command" => "subscribe", "identifier" => @identifier }
        end
    end

    # A command to a channel that is subscribed already.
    class ChannelCommand < Command
      private
        def read(request)
          @state = request.string("state")
        end

        def revive
          super
          @kept.restore_channel(@identifier, @state)
        end
    end

    class Perform < ChannelCommand
      private
        # The data of a client may be the empty string, which JSON written by others leaves out.
        def read(request)
          super
          @data = request.optional_string("data").to_s
        end

        def command
          { "command" => "message", "identifier" => @identifier, "data" => @data }
        end
    end

    # Runs once, however often it is asked for: clean-up must not run twice.
    class Unsubscribe < ChannelCommand
      def initialize(request, env, app)
        super
        @id = request.id
      end

      def answer
        Cablestay.once.run([ "unsubscribe", @id ]) { super }
      end

      private
        def command
          { "command" => "unsubscribe", "identifier" => @identifier }
        end
    end
  end
end
