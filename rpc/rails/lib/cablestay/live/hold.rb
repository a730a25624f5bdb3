# frozen_string_literal: true

module Cablestay
  module Live
    # A connection that stays alive in this process, with one channel in it or, where it is whole, with all of its channels.
    class Hold
      attr_reader :id, :bridge, :cable, :kept, :surroundings, :raw_env

      # +holdable+ has what the event was run on with which it begins.
      def initialize(bridge, holdable, offered: false)
        @id = SecureRandom.hex(8)
        @bridge = bridge
        @cable, @kept, @surroundings, @raw_env = holdable.cable, holdable.kept, holdable.surroundings, holdable.raw_env
        @whole = @attached = false
        @offered = offered
        @told = {}
        @lock = Monitor.new # state is read and written by one event at a time
      end

      # Whoever has the lock may have to load code, which waits for all who run it.
      def synchronize
        RailsVersions.permitting_loads { @lock.enter } unless @lock.try_enter
        begin
          yield
        ensure
          @lock.exit
        end
      end

      def whole?
        @whole
      end

      def attached?
        @attached
      end

      # The bridge has not taken it: the subscription goes on elsewhere.
      def only_offered?
        @offered && !@attached
      end

      # The bridge has done what the answer asked for.
      def attach
        @attached = true
        surroundings.outside.begin_sending
      end

      # What an event's answer says of it; nil where the bridge knows.
      def told(identifier, why, whole)
        news = !@told.key?(identifier) || (whole && !@whole)
        log(identifier, why) if why.any?
        @whole ||= whole
        @told[identifier] = true
        { worker: Live.worker, hold: id, connection: whole, why: why.join(", ") } if news
      end

      # The subscription is no more; it may come again under its old identifier.
      def forget(identifier)
        @told.delete(identifier)
      end

      # The bridge, or the road to it, is gone: as when the connection is closed.
      def abandon
        surroundings.socket.lose
        event = Event.new(surroundings)
        event.run do
          event.work(cable.connection) do
            Closing.new(cable).run(cable.table.keys, disconnect: whole?)
          end
        end
      ensure
        end_streams
      end

      # Streams that Rails has lost sight of, as it does of the first of two with one name.
      def end_streams
        surroundings.end_streams
      end

      private
        def log(identifier, why)
          Cablestay.logger.info("#{identifier || "the connection #{cable.connection.connection_identifier}"} lives on in this process: " \
            "#{why.join(", ")}")
        end
    end
  end
end
