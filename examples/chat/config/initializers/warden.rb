# frozen_string_literal: true

# Warden set up as Devise sets it up: scope :user, and the same two values in the session.
Warden::Manager.serialize_into_session(:user) do |user|
  [ [ user.id ], user.authenticatable_salt ]
end

Warden::Manager.serialize_from_session(:user) do |((id), salt)|
  user = User.find_by(id: id)
  user if user && ActiveSupport::SecurityUtils.secure_compare(user.authenticatable_salt, salt)
end

Warden::Strategies.add(:password) do
  def valid?
    params["email"].present? && params["password"].present?
  end

  def authenticate!
    user = User.authenticate(params["email"], params["password"])
    user ? success!(user) : fail!("Wrong email or password")
  end
end

Rails.application.config.middleware.use Warden::Manager do |manager|
  manager.default_scope = :user
  manager.scope_defaults :user, strategies: [ :password ]
  manager.failure_app = ->(_env) { [ 401, { "content-type" => "text/plain" }, [ "Sign in first" ] ] }
end
