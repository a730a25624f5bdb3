# frozen_string_literal: true

module ApplicationCable
  class Connection < ActionCable::Connection::Base
    identified_by :current_user

    def connect
      self.current_user = find_verified_user
    end

    # What a later event finds.
    def door
      { user: env["warden"].user&.email, signed_in: env["warden"].authenticated?(:user), session: session["warden.user.user.key"]&.first,
        agent: request.user_agent, same: env["warden"].user == current_user }
    end

    private
      def find_verified_user
        env["warden"].user || reject_unauthorized_connection
      end

      def session
        request.session
      end
  end
end
