# frozen_string_literal: true

module Cablestay
  # The ordered list of what the Ruby code did during one event. What is done after it goes to +later+.
  class Effects
    # +identifier+ is the event's own subscription, which its effects need not name.
    def initialize(identifier, later)
      @identifier, @later = identifier, later
      @effects = []
      @mutex = Mutex.new
      @finished = false
    end

    # The effect, or something that is not nil where it went another way.
    def record(effect, identifier: nil, **members)
      @mutex.synchronize do
        unless @finished
          members[:identifier] = identifier unless identifier.nil? || identifier == @identifier
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

    # No effect is taken after this one.
    def finish
      @mutex.synchronize do
        @finished = true
        @effects
      end
    end
  end
end
