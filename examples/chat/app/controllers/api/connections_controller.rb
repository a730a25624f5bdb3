# frozen_string_literal: true

module Api
  # The cables of a user, for the user and for admins; only admins may end another's.
  class ConnectionsController < ApplicationController
    before_action :set_user

    def index
      render json: { connections: ConnectionTracker.list(@user) }
    end

    def destroy
      ConnectionTracker.disconnect_all(@user)
      head :no_content
    end

    private
      def set_user
        @user = current_user.account.users.find(params[:user_id])
        head :forbidden unless @user == current_user || current_user.admin?
      end
  end
end
