# frozen_string_literal: true

module Cablestay
  module Live
    # A channel whose event is over transmits: something in this process has kept it, in a way that the end of its event did not show
    # (a registry, a job of a pool). From now on channels of its class are held from the start; this one is offered to the
    # bridge, which takes it unless a later event has run on a copy of it.
    module Offer
      WHY = "it transmits outside of events"

      @known = Concurrent::Map.new # names of classes

      class << self
        def known?(type)
          @known.key?(type.name)
        end

        # Once for each.
        def make(surroundings, identifier)
          origin, surroundings.origin = surroundings.origin, nil
          channel = origin.cable.table[identifier] if origin && Live.allowed? && surroundings.holdable?
          return unless channel

          @known[channel.class.name] = surroundings.offered = true
          hold = Holds.take(surroundings.road.bridge, origin, offered: true)
          offer = { offer: hold.told(identifier, [ WHY ], false), identifier: identifier, event: surroundings.event_id }
          Holds.drop(hold.id) unless surroundings.road.send_line(offer)
        end
      end
    end
  end
end
