# frozen_string_literal: true

module Api
  # A phone has no cookie: it shows email and password once and opens its cable with the token.
  class TokensController < ActionController::API
    def create
      user = User.authenticate(params[:email], params[:password])

      if user&.active?
        render json: { token: CableToken.issue(user), user: user.as_person }, status: :created
      else
        render json: { error: "wrong email or password" }, status: :unauthorized
      end
    end
  end
end
