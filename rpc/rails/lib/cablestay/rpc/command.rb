# frozen_string_literal: true

module Cablestay
  module Rpc
    # A command of the client, run by Rails' own Subscriptions.
    class Command
      RECONNECT = JSON.generate({ type: "disconnect", reason: nil, reconnect: true }).freeze

      def initialize(request, env, app)
        @id = request.id
        @identifier = request.string("identifier")
        @connection_state = request.string("connection_state")
        @identifiers = request.optional_strings("identifiers")
        read(request)
        @revival = Revival.new(request, env, app, left: left(request))
        @road = Live::Road.of(request, env)
      end

      def answer
        surroundings = @revival.surroundings or return start_afresh(UnreadableState.new("its living channel is gone"))
        @event = event(surroundings)
        surroundings.event_id = @id unless @revival.held?
        @event.run do
          revive
          @event.work(cable.connection) do
            @event.logging_exceptions(cable.connection.logger, receiver) { execute }
          end
          outcome
        rescue UnreadableState => error
          start_afresh(error)
        end
      ensure
        begin_sending(surroundings) if surroundings && surroundings.hold.nil?
      end

      private
        # Members that only some commands have.
        def read(request)
        end

        # What an earlier event left at hand.
        def left(_request)
        end

        def event(surroundings)
          Event.new(surroundings, identifier: @identifier, wait: !@road.link?) { |effects| @road.send_effects(effects) }
        end

        # What comes later comes on its own.
        def begin_sending(surroundings)
          surroundings.origin = @revival
          surroundings.outside.begin_sending
        end

        def cable
          @revival.cable
        end

        # What Rails' worker would tell of an exception.
        def receiver
          cable.receiver
        end

        def channel
          cable.table[@identifier]
        end

        def revive
          @revival.restore_connection(@connection_state)
          KnownIdentifiers.tell(cable.connection.subscriptions, @identifiers, @identifier)
        end

        def execute
          cable.execute(command)
        end

        def outcome
          verdict = @revival.alone { Live::Verdict.new(@revival, @event, channel) }
          return refused if verdict.refused? && refuse(channel)

          live = @revival.live(@identifier, verdict)
          forget_hold unless channel
          leave(verdict) if channel && verdict.travels? && @revival.hold.nil?
          { contract: CONTRACT, subscribed: !channel.nil?, connection_state: verdict.connection_state,
            state: channel && verdict.state, effects: @event.finish, live: live, **@revival.ends(verdict, channel) }.compact
        end

        # True where the channel is not to go on, because it would have to live on and the app does not allow that.
        def refuse(_channel)
          false
        end

        def refused
          { contract: CONTRACT, subscribed: false, effects: @event.finish }
        end

        # Both of its states are what the next event will bring.
        def leave(_verdict)
        end

        # The last channel of a hold that has no more than that.
        def forget_hold
          hold = @revival.hold or return
          hold.forget(@identifier)
          hold.end_streams if !hold.whole? && cable.table.empty? && Live::Holds.release(hold)
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
        # The connection as connect left it, if nothing has happened in it since.
        def left(request)
          AtHand.current.take(request.string("connection"), nil, @connection_state, nil) if request.optional_string("hold").nil?
        end

        def command
          { "command" => "subscribe", "identifier" => @identifier }
        end

        def execute
          super
        ensure
          channel = @event.broken_channel
          give_up(channel) if channel && RailsVersions.unconfirmed?(channel)
        end

        def refuse(channel)
          @event.effects.withdraw_confirmation
          give_up(channel)
          true
        end

        # In stock the client of a subscribed that raised is never told, and its streams go on. Here it is a rejection.
        def give_up(channel)
          @event.logging_exceptions(cable.connection.logger, receiver) do
            cable.connection.subscriptions.remove_subscription(channel)
          ensure
            channel.stop_all_streams
            cable.table.delete(@identifier)
          end
          channel.send(:transmit_subscription_rejection)
        end
    end

    # A command to a channel that is subscribed already.
    class ChannelCommand < Command
      private
        def read(request)
          @state = request.optional_string("hold") ? request.optional_string("state") : request.string("state")
        end

        def left(request)
          AtHand.current.take(request.string("connection"), @identifier, @connection_state, @state) if request.optional_string("hold").nil?
        end

        def leave(verdict)
          return unless @revival.surroundings.socket.alive?

          @revival.kept.see(channel, @event.streams) if verdict.looked_for_changes? && verdict.connection_state.nil? && verdict.state.nil?
          @revival.leave(@identifier, verdict.connection_state || @connection_state, verdict.state || @state)
        end

        def revive
          super
          @revival.restore_channel(@identifier, @state)
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
      def answer
        Cablestay.once.run([ "unsubscribe", @id ]) { super }
      end

      private
        # As it may run once more elsewhere, all that it does comes with its answer.
        def event(surroundings)
          Event.new(surroundings, identifier: @identifier)
        end

        def command
          { "command" => "unsubscribe", "identifier" => @identifier }
        end
    end
  end
end
