# frozen_string_literal: true

module Cablestay
  # The ordered list of what the Ruby code did during one event.
  class Effects
    def initialize
      @effects = []
      @mutex = Mutex.new
      @finished = false
    end

    # The effect; false where the event is over: nothing can carry it any more.
    def record(effect, **members)
      @mutex.synchronize do
        return false if @finished

        @effects.push({ effect: effect, **members }).last
      end
    end

    # Takes back what was recorded.
    def withdraw(effect)
      @mutex.synchronize { @effects.delete_if { |recorded| recorded.equal?(effect) } unless @finished }
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
