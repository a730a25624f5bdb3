# frozen_string_literal: true

module Cablestay
  module Live
    # For what has the surroundings, cable, kept and raw_env of an event.
    module Holdable
      def hold
        surroundings.hold
      end

      # Around what reads and writes state: events of a connection that is held may run at a time.
      def alone(&block)
        hold ? hold.synchronize(&block) : yield
      end

      # What the answer says of who keeps the channel (or, for nil, the connection) alive: see rpc/README.md, "Holds".
      # nil where nobody does, or the bridge knows.
      def live(identifier, verdict)
        return if verdict.reasons.empty? && hold.nil?

        hold = self.hold || Holds.take(surroundings.road.bridge, self)
        hold.told(identifier, verdict.reasons, verdict.whole?)
      end

      # What it says of their ends. Whatever this process keeps of them is something to end.
      def ends(verdict, channel)
        hold || surroundings.offered || !verdict.nothing_kept? ? {} : Ends.current.of(cable, channel)
      end
    end
  end
end
