# frozen_string_literal: true

class VersionsController < ApplicationController
  skip_before_action :authenticate_user!

  def show
    render json: { rails: Rails.version, ruby: RUBY_VERSION }
  end
end
