# frozen_string_literal: true

module Cablestay
  # The ordered list of what the Ruby code did during one event. What is done after it goes to +later+.
  #
  # It is the event's answer, and goes with its end; what can't wait that long is sent before.
  class Effects
    # With these the answer says what has become of the subscription: they and what comes after them are not sent before it.
    LAST = %w[ confirm reject ].freeze

    # +identifier+ is the event's own subscription, which its effects need not name. +sender+ sends effects before the
    # end, and is false where it can't.
    def initialize(identifier, later, sender = nil)
      @identifier, @later, @sender = identifier, later, sender
      @effects = []
      @mutex = Mutex.new
      @finished = @back = @any_sent = false
      @since = nil # when the first of them was recorded
    end

    # The effect, or something that is not nil where it went another way.
    def record(effect, identifier: nil, **members)
      @mutex.synchronize do
        unless @finished
          members[:identifier] = identifier unless identifier.nil? || identifier == @identifier
          @since ||= UnderWay.now
          return @effects.push({ effect: effect, **members }).last
        end
      end
      @later.record(effect, identifier: identifier || @identifier, **members)
    end

    # Takes back what was recorded. False where it is on its way.
    def withdraw(effect)
      @mutex.synchronize { !@finished && !@effects.reject! { |recorded| recorded.equal?(effect) }.nil? }
    end

    # The same for the event's own confirmation.
    def withdraw_confirmation
      @mutex.synchronize { @effects.delete_if { |recorded| recorded[:effect] == "confirm" && !recorded.key?(:identifier) } }
    end

    # The event's answer will say so.
    def lives(_identifier)
    end

    # What was done so far is sent. True where the effect was.
    def send_as_far_as(effect)
      @mutex.synchronize do
        send_now
        gone?(effect)
      end
    end

    # Sends them if the first has waited since then.
    def send_since(time)
      @mutex.synchronize { send_now if @since && @since <= time }
    end

    # Around what nothing may be sent beside. The block is told whether the effect has been.
    def hold_back(effect)
      there = @mutex.synchronize do
        @back = true
        gone?(effect)
      end
      yield there
    ensure
      @mutex.synchronize { @back = false }
    end

    def sent?(effect)
      @mutex.synchronize { gone?(effect) }
    end

    # Was any sent before the end?
    def any_sent?
      @mutex.synchronize { @any_sent }
    end

    # No effect is taken after this one.
    def finish
      @mutex.synchronize do
        @finished = true
        @effects
      end
    end

    private
      # Under the mutex, as the next.
      def send_now
        return if @finished || @back || @sender.nil?

        ready = @effects.take_while { |effect| !LAST.include?(effect[:effect]) }
        return if ready.empty?

        Thread.handle_interrupt(Object => :never) do # or they would be sent again
          next @sender = nil unless @sender.call(ready.map { |effect| with_identifier(effect) })

          @effects.shift(ready.size)
          @since = (UnderWay.now unless @effects.empty?)
          @any_sent = true
        end
      end

      def gone?(effect)
        !@finished && @effects.none? { |recorded| recorded.equal?(effect) }
      end

      # A frame says itself whose it is.
      def with_identifier(effect)
        effect[:effect] == "transmit" || @identifier.nil? ? effect : { identifier: @identifier, **effect }
      end
  end
end
