# frozen_string_literal: true

module ApplicationCable
  class Channel < ActionCable::Channel::Base
    private
      def journal(event, details = {})
        connection.journal(event, { identifier: identifier }.merge(details))
      end
  end
end
