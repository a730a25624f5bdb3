# frozen_string_literal: true

# Login through Warden, the way a Devise app does it: the user is in the session, not in a cookie of ours.
module Users
  class SessionsController < ApplicationController
    skip_before_action :authenticate_user!

    def create
      if request.env["warden"].authenticate(:password, scope: :user)
        redirect_to root_path
      else
        flash[:alert] = "Wrong email or password."
        redirect_to login_path
      end
    end

    def destroy
      request.env["warden"].logout(:user)
      redirect_to login_path
    end
  end
end
