# frozen_string_literal: true

module Cablestay
  # Connections and channels as the last actions left them, for the next ones, and connections as connect left them, for the first
  # subscribe. An event finds its own here where it brings the very states that those have; else its objects are revived from the states. Each is used by one event at a time: whoever takes
  # it has it alone. What is here may go at any time, and nobody misses it.
  class AtHand
    LARGEST = 64 * 1024 # bytes of both states, as they are before they are sealed

    Left = Struct.new(:connection_state, :state, :surroundings, :cable, :kept, :raw_env)

    class << self
      # Set by the railtie.
      attr_writer :current

      def current
        @current ||= new(0)
      end

      # As config.cablestay.at_hand says. Where code is reloaded, objects of former classes must not come back.
      def configured(most, reloading: false)
        return new(reloading ? 0 : most) if most.is_a?(Integer) && !most.negative?

        raise ConfigurationError, "config.cablestay.at_hand is #{most.inspect}: it must be a number of subscriptions, or 0"
      end
    end

    # +most+ subscriptions, the latest.
    def initialize(most)
      @most = most
      @left = {} # those of each connection, by their identifiers, nil for what connect left; the connection that was used last is the last
      @size = 0
      @mutex = Mutex.new
    end

    # What the last action of the subscription left (or, for nil, connect), if it left it with these states.
    def take(connection_id, identifier, connection_state, state)
      return if @most.zero?

      left = @mutex.synchronize { remove(connection_id, identifier) }
      left if left && left.connection_state == connection_state && left.state == state && !left.surroundings.offered
    end

    def put(connection_id, identifier, left)
      return if @most.zero? || left.surroundings.offered || reloads? || left.kept.bytesize > LARGEST

      @mutex.synchronize do
        all = @left.delete(connection_id) || {}
        @size += 1 unless all.key?(identifier)
        all[identifier] = left
        @left[connection_id] = all
        @size -= @left.shift.last.size while @size > @most && @left.any?
      end
    end

    # The connection is no more.
    def forget(connection_id)
      @mutex.synchronize { @size -= @left.delete(connection_id)&.size.to_i }
    end

    def size
      @mutex.synchronize { @size }
    end

    private
      # Records are to be found again by each event.
      def reloads?
        State::Setting::OWNERS.any? { |owner| State::Setting.current.reload?(owner) }
      end

      def remove(connection_id, identifier)
        left = @left[connection_id]&.delete(identifier) or return
        @size -= 1
        @left.delete(connection_id) if @left[connection_id].empty?
        left
      end
  end
end
