# frozen_string_literal: true

require "concurrent/map"
require "concurrent/scheduled_task"

module Cablestay
  module Live
    # The holds of this process, by id.
    module Holds
      # For how long the bridge may take to say that it has the answer. Where it never got it, nobody will ever ask.
      UNATTACHED = 120 # seconds

      @holds = Concurrent::Map.new

      class << self
        def find(id)
          @holds[id]
        end

        def take(bridge, holdable, offered: false)
          hold = Hold.new(bridge, holdable, offered: offered)
          holdable.surroundings.hold = hold
          @holds[hold.id] = hold
          Concurrent::ScheduledTask.execute(UNATTACHED) { give_up(hold) unless hold.attached? }
          hold
        end

        # True once for each: whoever gets it ends what the hold kept.
        def release(hold)
          !@holds.delete(hold.id).nil?
        end

        # The bridge does not take it: the connection has gone on without it.
        def drop(id)
          hold = @holds[id]
          return unless hold && release(hold)

          hold.end_streams
          hold.surroundings.hold = nil
        end

        # Of a bridge whose link has ended. Their clean-up runs the app's code, which waits for nobody.
        def abandon(bridge)
          @holds.values.each { |hold| give_up(hold) if hold.bridge == bridge }
        end

        private
          def give_up(hold)
            return drop(hold.id) if hold.only_offered?

            Live.jobs.post { hold.abandon } if release(hold)
          end
      end
    end
  end
end
