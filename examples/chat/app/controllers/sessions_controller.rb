# frozen_string_literal: true

# Login with an encrypted cookie of our own.
class SessionsController < ApplicationController
  skip_before_action :authenticate_user!

  def new
    redirect_to root_path if current_user
  end

  def create
    user = User.authenticate(params[:email], params[:password])

    if user&.active?
      cookies.encrypted[:user_id] = { value: user.id, httponly: true, same_site: :lax }
      redirect_to root_path
    else
      flash.now[:alert] = "Wrong email or password, or this person has left."
      render :new, status: :unprocessable_entity
    end
  end

  # Signing out ends the cables of this user too, on every tab and machine.
  def destroy
    ConnectionTracker.disconnect_all(current_user) if current_user
    cookies.delete(:user_id)
    request.env["warden"].logout
    reset_session
    redirect_to login_path
  end
end
