# frozen_string_literal: true

module Cablestay
  # The ordered list of what the Ruby code did during one event. What is done after it goes to +later+.
  #
  # It is the event's answer, and goes with its end; what can't wait that long is sent before.
  class Effects
    # No transmission is sent before these: the client would see the one without the other.
    BARRIERS = %w[ broadcast stop_stream confirm reject close ].freeze

    # +identifier+ is the event's own subscription, which its effects need not name. +sender+ sends effects before the
    # end, and is false where it can't.
    def initialize(identifier, later, sender = nil)
      @identifier, @later, @sender = identifier, later, sender
      @effects = []
      @since = {}.compare_by_identity # transmissions => when they were recorded
      @mutex = Mutex.new
      @finished = false
    end

    # The effect, or something that is not nil where it went another way.
    def record(effect, identifier: nil, **members)
      @mutex.synchronize do
        unless @finished
          members[:identifier] = identifier unless identifier.nil? || identifier == @identifier
          recorded = @effects.push({ effect: effect, **members }).last
          @since[recorded] = UnderWay.now if @sender && effect == "transmit"
          return recorded
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

    # Sends what was transmitted until then, and nothing since: a client that has seen it may ask for the state that the event
    # leaves, which comes with its end.
    def send_transmitted(time)
      @mutex.synchronize do
        sent = transmitted(time)
        next if @finished || sent.empty?

        Thread.handle_interrupt(Object => :never) do # or they would be sent again
          @effects.reject! { |effect| sent.any? { |one| one.equal?(effect) } } if @sender.call(sent)
        end
      end
    end

    # Sends one effect before all others. The block tells whether it has arrived.
    def send_ahead(effect)
      sent = @mutex.synchronize { !@finished && @sender&.call([ { identifier: @identifier, **effect }.compact ]) }
      withdraw(effect) if sent && yield
    end

    # No effect is taken after this one.
    def finish
      @mutex.synchronize do
        @finished = true
        @effects
      end
    end

    private
      # Under the mutex.
      def transmitted(time)
        @effects.take_while { |effect| !BARRIERS.include?(effect[:effect]) && (@since[effect] || time) <= time }
          .select { |effect| effect[:effect] == "transmit" }
      end
  end
end
