# frozen_string_literal: true

module ActionCable
  module Connection
    # What is wrong with a command has a name, and is raised.
    class Subscriptions
      class Error < StandardError; end
      class AlreadySubscribedError < Error; end
      class ChannelNotFound < Error; end
      class MalformedCommandError < Error; end
      class MissingIdentifier < Error; end
      class UnknownCommandError < Error; end
      class UnknownSubscription < Error; end

      def execute_command(data)
        case data["command"]
        when "subscribe" then add(data)
        when "unsubscribe" then remove(data)
        when "message" then perform_action(data)
        else raise UnknownCommandError, "Received unrecognized command: #{data["command"]}"
        end
      end

      def add(data)
        identifier = data["identifier"]
        raise MalformedCommandError, "Malformed command: #{data.inspect}" if identifier.blank?
        raise AlreadySubscribedError, "Already subscribed to #{identifier}" if subscriptions.key?(identifier)

        params = ActiveSupport::JSON.decode(identifier).with_indifferent_access
        subscriptions[identifier] = channel_class(params[:channel]).new(connection, identifier, params)
        subscriptions[identifier].subscribe_to_channel
      end

      # Of one that is not there: no error.
      def remove(data)
        identifier = data["identifier"]
        raise MissingIdentifier, "Missing identifier" if identifier.blank?

        logger.info("Unsubscribing from channel: #{identifier}")
        subscription = subscriptions[identifier]
        remove_subscription(subscription) if subscription
      end

      private
        def channel_class(name)
          found = name.nil? ? nil : name.safe_constantize
          return found if found && ActionCable::Channel::Base > found

          raise ChannelNotFound, "Channel not found: #{name}"
        end

        def find(data)
          subscriptions[data["identifier"]] ||
            raise(UnknownSubscription, "Unable to find subscription with identifier: #{data["identifier"]}")
        end
    end
  end
end
