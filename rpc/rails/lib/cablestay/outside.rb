# frozen_string_literal: true

module Cablestay
  # Stands where an event would, for what a connection and its channels do outside of one: a thread that transmits when
  # it likes, a broadcast that runs a block. It goes straight to the bridge, once the answer of the event before has.
  class Outside
    def initialize(surroundings)
      @surroundings = surroundings
      @waiting = [] # nil once nothing has to wait
      @behind = {} # identifiers => what waits for the answer of a subscribe
      @lock = Mutex.new
    end

    # As Effects does.
    def record(effect, identifier: nil, **members)
      sent = send_effects([ { effect: effect, identifier: identifier, **members }.compact ])
      Live::Offer.make(@surroundings, identifier || Outside.identifier_in(members[:frame])) unless @surroundings.hold
      sent
    end

    # What a channel transmits has its identifier.
    def self.identifier_in(frame)
      message = JSON.parse(frame) if frame
      message["identifier"] if message.is_a?(Hash)
    rescue JSON::ParserError
      nil
    end

    def effects
      self
    end

    # This and the line are for few connections.
    def streams
      @lock.synchronize { @streams ||= Streams.new(self, @surroundings) }
    end

    # What only the living channel can do has begun: somebody must end it, too.
    def lives(identifier)
      Live::Offer.make(@surroundings, identifier) unless @surroundings.hold
    end

    # What has been sent can't be taken back.
    def withdraw(_effect)
      false
    end

    # A job that was posted to the worker pool is an event of its own. In stock those of one connection may overtake each other,
    # and with them broadcasts; here they keep their order.
    def defer(connection, &job)
      line.post do
        event = Event.new(@surroundings, wait: false) { |effects| send_ahead(effects) }
        event.run { event.work(connection, &job) }
        send_effects(event.finish)
      end
    end

    # Only an event tells the client.
    def subscribe_raised(_channel)
    end

    # There is another event, with an answer of its own.
    def hold_back
      @lock.synchronize { @waiting ||= [] }
    end

    # The bridge has done what the last event's answer asked for.
    def begin_sending
      @lock.synchronize do
        waiting, @waiting = @waiting, nil
        deliver(waiting) if waiting&.any?
      end
    end

    # Around an event that makes the subscription, and the sending of its answer: a stream may be there, and with it the
    # confirmation, before the bridge knows what came first.
    def behind(identifier)
      @lock.synchronize { @behind[identifier] = [] }
      yield
    ensure
      send_effects(@lock.synchronize { @behind.delete(identifier) })
    end

    private
      def line
        @lock.synchronize { @line ||= Live.jobs.line }
      end

      # False where others wait.
      def send_ahead(effects)
        @lock.synchronize { @waiting.nil? && @behind.empty? && @surroundings.road.send_effects(effects) }
      end

      # Under the lock, which keeps the order.
      def send_effects(effects)
        return true if effects.empty?

        @lock.synchronize do
          effects = effects.reject { |effect| @behind[subscription_of(effect)]&.push(effect) } if @behind.any?
          next true if effects.empty?

          @waiting ? @waiting.concat(effects) : deliver(effects)
        end
      end

      def subscription_of(effect)
        effect[:identifier] || Outside.identifier_in(effect[:frame])
      end

      def deliver(effects)
        return true if @surroundings.road.send_effects(effects)

        Cablestay.logger.warn("lost what was done outside of an event, because there is no link to the bridge: " \
          "#{effects.map { |effect| [ effect[:effect], effect[:broadcasting] ].compact.join(" ") }.join(", ")}")
        false
      end
  end
end
