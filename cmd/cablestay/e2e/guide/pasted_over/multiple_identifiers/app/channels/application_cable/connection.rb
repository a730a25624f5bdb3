# app/channels/application_cable/connection.rb

module ApplicationCable
  class Connection < ActionCable::Connection::Base
    # Track user, account, and session
    identified_by :current_user, :current_account, :connection_id

    def connect
      self.current_user = find_verified_user
      self.current_account = current_user.account
      self.connection_id = SecureRandom.uuid
      
      # Store connection metadata
      ConnectionTracker.add(
        user_id: current_user.id,
        connection_id: connection_id,
        connected_at: Time.current
      )
      
      logger.add_tags 'ActionCable', 
                      "User:#{current_user.id}", 
                      "Account:#{current_account.id}"
    end

    def disconnect
      ConnectionTracker.remove(connection_id)
    end

    private

    def find_verified_user
      if (user_id = cookies.encrypted[:user_id])
        User.find_by(id: user_id)
      else
        reject_unauthorized_connection
      end
    end
  end
end
