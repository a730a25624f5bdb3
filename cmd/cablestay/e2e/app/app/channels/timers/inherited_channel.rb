# frozen_string_literal: true

# Has the timer of its superclass and one of its own.
class Timers::InheritedChannel < Timers::SymbolChannel
  periodically :tock, every: 0.3

  private
    def tock
      transmit({ tock: true })
    end
end
