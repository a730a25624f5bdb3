# frozen_string_literal: true

module Cablestay
  module Live
    # After an event: what of its connection and channel travels to the next, and whether they have to be held instead.
    class Verdict
      REGISTRY = "its class keeps it"

      # Sealed, or nil where nothing changed; the state of a channel that can't travel is "".
      attr_reader :connection_state, :state

      # +channel+ is nil where the event is for none, or it is no more.
      def initialize(holdable, event, channel)
        @surroundings, @kept, @channel = holdable.surroundings, holdable.kept, channel
        @connection_reasons, @channel_reasons = @surroundings.reasons(nil), []
        @holdable = @surroundings.holdable?
        @unchanged = !channel.nil? && @kept.unchanged?(channel, event.streams)
        @connection_state = @kept.connection_token(&noting(@connection_reasons)) unless @unchanged
        judge_connection
        judge_channel(event) if channel
        threads(event)
        complain if refused?
      end

      # Why the subscription has to be held; empty where it need not be.
      def reasons
        may_live? ? (@channel_reasons + @connection_reasons).uniq : []
      end

      def whole?
        may_live? && @connection_reasons.any?
      end

      # Do both go on with all that they have, here or elsewhere?
      def travels?
        @holdable && @channel_reasons.empty? && @connection_reasons.empty?
      end

      # Is there nothing that would have to be held, whether it can be or not?
      def nothing_kept?
        @channel_reasons.empty? && @connection_reasons.empty? && !@left_running
      end

      # Did it take more than a glance? Where that found nothing, a glance will do the next time.
      def looked_for_changes?
        !@unchanged
      end

      # It would have to be held, and the app does not allow that.
      def refused?
        !Live.allowed? && @channel_reasons.any?
      end

      private
        def may_live?
          Live.allowed? && @holdable
        end

        # Without a block, what can't travel is logged as lost.
        def noting(reasons)
          ->(name, value, _error) { reasons << "#{name} (#{value.class})" } if may_live? || !Live.allowed?
        end

        def judge_connection
          connection = @kept.connection
          @connection_reasons << REGISTRY if Live.allowed? && Registries.keep?(connection, ActionCable::Connection::Base)
        end

        def judge_channel(event)
          @state = @kept.channel_token(@channel, event.streams, &noting(@channel_reasons)) unless @unchanged
          @state = "" if @channel_reasons.any? && may_live?
          return unless Live.allowed?

          @channel_reasons.concat(@surroundings.reasons(@channel.identifier))
          @channel_reasons << REGISTRY if Registries.keep?(@channel, ActionCable::Channel::Base)
          @channel_reasons << Offer::WHY if Offer.known?(@channel.class)
          @channel_reasons << "an unconfirmed subscription" if RailsVersions.unconfirmed?(@channel)
        end

        def threads(event)
          reasons = @channel ? @channel_reasons : @connection_reasons
          @left_running = event.left_running.any?
          reasons << "a thread of its own" if Live.allowed? && @left_running
        end

        def complain
          Cablestay.logger.error("#{@channel.class.name} keeps #{@channel_reasons.join(", ")}: " \
            "that needs a living channel, and config.cablestay.live is false")
        end
    end
  end
end
