# frozen_string_literal: true

module Cablestay
  # Channels between events: what is saved of one, and how it is revived.
  module Channels
    class << self
      # Puts the channel back into the connection's table, as it was after the event that saved it. The block
      # is given the channel, still empty, and says what was saved: state may point to the channel itself.
      def revive(cable, identifier)
        params = decode(identifier)
        channel = channel_class(params).allocate
        channel.instance_variable_set(:@connection, cable.connection)
        channel.instance_variable_set(:@identifier, identifier)
        saved = yield channel
        rails_ivars(channel, saved, params).merge(saved[:ivars]).each { |name, value| channel.instance_variable_set(name, value) }
        channel.send(:delegate_connection_identifiers)
        cable.table[identifier] = channel
      end

      # What has to be known to revive it. +given+ are the parameters that its identifier says.
      def saved(channel, streams, given = decode(channel.identifier))
        saved = { counter: channel.instance_variable_get(:@defer_subscription_confirmation_counter).value,
          streams: followed(channel, streams), timers: timers(channel),
          ivars: ivars(channel, given) }
        %i[ @reject_subscription @subscription_confirmation_sent @unsubscribed ].each do |name|
          value = channel.instance_variable_get(name) if channel.instance_variable_defined?(name)
          saved[name] = value unless value.nil?
        end
        saved
      end

      # The app's own. The identifier says the parameters, unless the app has changed them.
      def ivars(channel, given = decode(channel.identifier))
        names = channel.instance_variables - RailsVersions::CHANNEL_IVARS
        names << :@params unless channel.instance_variable_get(:@params) == given
        names.to_h { |name| [ name, channel.instance_variable_get(name) ] }
      end

      def exchange(channel, transplant)
        before = ivars(channel)
        transplant.into(before).each do |name, value|
          channel.instance_variable_set(name, value) unless value.equal?(before[name])
        end
      end

      def decode(identifier)
        ActiveSupport::JSON.decode(identifier).with_indifferent_access
      end

      private
        def rails_ivars(channel, saved, params)
          ivars = { "@params": params,
            "@defer_subscription_confirmation_counter": Concurrent::AtomicFixnum.new(saved[:counter]),
            "@reject_subscription": saved[:@reject_subscription],
            "@subscription_confirmation_sent": saved[:@subscription_confirmation_sent],
            "@_streams": saved[:streams].to_h { |name, carried| [ name, Streams::Handler.new(name, carried, channel.identifier) ] } }
          timers = Array(saved[:timers]).map { |number| Timer.new(RailsVersions.surroundings_of(channel.connection), channel.identifier, number) }
          ivars[:@active_periodic_timers] = timers if timers.any?
          ivars[:@unsubscribed] = saved[:@unsubscribed] if saved.key?(:@unsubscribed)
          ivars
        end

        def followed(channel, streams)
          channel.instance_variable_get(:@_streams).to_a.map do |broadcasting, handler|
            [ broadcasting, streams.carried?(handler) ]
          end
        end

        def timers(channel)
          Array(channel.instance_variable_get(:@active_periodic_timers)).grep(Timer).map(&:number)
        end

        # As Subscriptions#add finds it.
        def channel_class(params)
          found = params[:channel].safe_constantize
          return found if found && ActionCable::Channel::Base >= found

          raise UnreadableState, "there is no channel #{params[:channel].inspect}"
        end
    end
  end
end
