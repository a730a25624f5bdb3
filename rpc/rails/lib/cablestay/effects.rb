# frozen_string_literal: true

module Cablestay
  # The ordered list of what the Ruby code did during one event.
  class Effects
    def initialize
      @effects = []
      @mutex = Mutex.new
      @finished = false
    end

    # False where the event is over: nothing can carry the effect any more.
    def record(effect, **members)
      @mutex.synchronize do
        return false if @finished

        @effects << { effect: effect, **members }
      end
      true
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
